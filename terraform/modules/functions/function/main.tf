# Without a trigger of its own: Eventarc makes the subscriptions of its triggers itself, without a setting for
# ack deadline, backoff or dead letter. Instead modules/triggers pushes to the function.
resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:ingress is a variable, internal for the event functions; IAM guards each function
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
    direct_vpc_egress                = var.vpc_egress == null ? null : "VPC_EGRESS_${var.vpc_egress.traffic}"

    environment_variables = merge(var.environment, {
      NODE_ENV             = "production"
      GOOGLE_CLOUD_PROJECT = var.project
      LOG_EXECUTION_ID     = "true"
    })

    dynamic "direct_vpc_network_interface" {
      for_each = var.vpc_egress == null ? [] : [var.vpc_egress]
      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
        tags       = direct_vpc_network_interface.value.tags
      }
    }
  }
}

# Granted on the service that Cloud Functions makes under the function's name. A new function has a new
# service that no account may call.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this.id]
  }
}
