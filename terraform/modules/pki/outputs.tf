output "root_secret" {
  description = "Full name of the root secret."
  value       = google_secret_manager_secret.root.id
}
