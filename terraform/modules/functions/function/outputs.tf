output "uri" {
  description = "Address of the function's service, without a slash at the end."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
