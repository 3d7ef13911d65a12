# Without a trigger of its own: Eventarc makes the subscriptions of its triggers itself, so ack deadline, backoff and dead letter
# could not be set on them. modules/triggers pushes to the function instead.
resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:ingress is a variable, internal for the event functions; IAM stands before each function
  project     = var.project
  location    = var.region
  name        = var.name
  description = var.description
  labels      = var.labels

  build_config {
    runtime         = "nodejs24"
    entry_point     = var.name
    service_account = var.builder

    source {
      storage_source {
        bucket = var.source_object.bucket
        object = var.source_object.name
      }
    }
  }

  service_config {
    service_account_email            = var.service_account
    available_memory                 = "512Mi"
    available_cpu                    = "1"
    timeout_seconds                  = var.timeout
    max_instance_request_concurrency = var.concurrency
    max_instance_count               = var.max_instances
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    vpc_connector                    = try(var.vpc_egress.connector, null)
    vpc_connector_egress_settings    = try(var.vpc_egress.traffic, null)

    environment_variables = merge(var.environment, {
      NODE_ENV             = "production"
      GOOGLE_CLOUD_PROJECT = var.project
      LOG_EXECUTION_ID     = "true"
    })
  }
}
