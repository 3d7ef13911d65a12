output "metrics" {
  description = "Names of the log-based metrics."
  value       = { for key, metric in google_logging_metric.this : key => metric.name }
}

output "dashboard" {
  description = "Full name of the dashboard."
  value       = google_monitoring_dashboard.this.id
}
