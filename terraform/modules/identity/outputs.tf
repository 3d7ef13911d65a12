output "emails" {
  description = "E-mail address of each account."
  value       = { for key, account in google_service_account.this : key => account.email }

  # A function that starts without its grants fails its first run.
  depends_on = [google_project_iam_member.clusters]
}

output "members" {
  description = "Each account as IAM writes it."
  value       = { for key, account in google_service_account.this : key => account.member }
}

output "builder" {
  description = "Account of the builder: full name, e-mail address, and a number that no other account ever has."
  value = {
    name      = google_service_account.this["builder"].id
    email     = google_service_account.this["builder"].email
    unique_id = google_service_account.this["builder"].unique_id
  }

  depends_on = [google_project_iam_member.builder, google_project_iam_member.builder_source]
}

output "root_roles" {
  description = "Roles on the root secret, by account."
  value       = { for key, role in google_project_iam_custom_role.root : key => role.name }
}
