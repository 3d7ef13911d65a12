output "project" {
  description = "The project, once its APIs answer: resources beside this module wait for it if they name it."
  value       = var.project
  depends_on  = [time_sleep.services]
}

output "function_urls" {
  description = "Address of each function."
  value       = module.functions.urls
}

output "service_accounts" {
  description = "E-mail address of each service account, by its purpose."
  value       = module.identity.emails
}

output "root_secret" {
  description = "Full name of the secret that holds the root CA."
  value       = module.pki.root_secret
}

output "topics" {
  description = "Full names of the topics: audit-log entries, orders to rotate, and undeliverable messages."
  value       = module.triggers.topics
}

output "environment" {
  description = "The environment of the command line meshjoin for this mesh: terraform output -json environment."
  value       = local.environment
}

output "sink_writers" {
  description = "Identities that the log sinks write to the topic with."
  value       = module.triggers.sink_writers
}

output "dashboard" {
  description = "Full name of the dashboard of the mesh."
  value       = module.observability.dashboard
}
