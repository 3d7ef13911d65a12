# The secret without a version: a root's key never passes through Terraform. "meshjoin root init" or "root
# import" adds it.
resource "google_secret_manager_secret" "root" {
  project             = var.project
  secret_id           = "${var.mesh_id}-root-ca"
  labels              = var.labels
  version_destroy_ttl = var.root_secret.destroy_after

  replication {
    dynamic "auto" {
      for_each = length(var.root_secret.locations) == 0 ? [var.root_secret.kms_key] : []
      content {
        dynamic "customer_managed_encryption" {
          for_each = auto.value == null ? [] : [auto.value]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
    dynamic "user_managed" {
      for_each = length(var.root_secret.locations) == 0 ? [] : [var.root_secret.locations]
      content {
        dynamic "replicas" {
          for_each = user_managed.value
          content {
            location = replicas.value
          }
        }
      }
    }
  }

  rotation {
    rotation_period    = var.root_secret.rotation_period
    next_rotation_time = coalesce(var.root_secret.first_rotation, timeadd(plantimestamp(), var.root_secret.rotation_period))
  }

  topics {
    name = var.rotation_topic
  }

  lifecycle {
    prevent_destroy = true
    # Aliases and annotations are Meshjoin's state; Secret Manager sets the time of the next rotation.
    ignore_changes = [version_aliases, annotations, rotation[0].next_rotation_time]
  }

  depends_on = [time_sleep.secret_manager]
}

# Secret Manager refuses a secret with a topic that its service agent may not publish to.
resource "google_pubsub_topic_iam_member" "secret_manager" {
  project = var.project
  topic   = var.rotation_topic
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
}

resource "time_sleep" "secret_manager" {
  create_duration = "90s"
  triggers        = { topic = google_pubsub_topic_iam_member.secret_manager.topic }
}

resource "google_secret_manager_secret_iam_member" "root" {
  for_each = var.root_roles

  project   = var.project
  secret_id = google_secret_manager_secret.root.secret_id
  role      = each.value
  member    = var.accounts[each.key]
}

resource "google_project_iam_audit_config" "secrets" {
  count = var.audit_secret_access ? 1 : 0

  project = var.project
  service = "secretmanager.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
}
