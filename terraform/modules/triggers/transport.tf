locals {
  # The function that each topic's messages are pushed to.
  pushed = {
    cluster-events = "on-cluster-event"
    rotation       = "on-rotation-request"
  }
  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83:no secret is in a message: audit-log entries, orders and names
  for_each = toset(concat(keys(local.pushed), ["dead-letter"]))

  project = var.project
  name    = "${var.name}-${each.key}"
  labels  = var.labels
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushed

  project = var.project
  name    = "${var.name}-${each.key}-push"
  topic   = google_pubsub_topic.this[each.key].id
  labels  = var.labels

  # Longer than a function may run, so that Pub/Sub does not deliver a message again meanwhile.
  ack_deadline_seconds       = 600
  message_retention_duration = "86400s"

  push_config {
    # The Functions Framework makes a CloudEvent of a push only if the path has the topic.
    push_endpoint = "${var.functions[each.value]}/projects/${var.project}/topics/${google_pubsub_topic.this[each.key].name}"
    oidc_token {
      service_account_email = var.accounts["push"]
      audience              = var.functions[each.value]
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # At the longest backoff about three hours: a cluster may take that long to get nodes.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.this["dead-letter"].id
    max_delivery_attempts = 25
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [google_pubsub_topic_iam_member.dead_letter, google_service_account_iam_member.push_tokens]
}

# Keeps undeliverable messages, so that a person can read them and publish them again.
resource "google_pubsub_subscription" "dead_letter" {
  project                    = var.project
  name                       = "${var.name}-dead-letter"
  topic                      = google_pubsub_topic.this["dead-letter"].id
  labels                     = var.labels
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's agent makes the tokens of pushes. An agent that was created on request has no role by itself.
resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = "projects/${var.project}/serviceAccounts/${var.accounts["push"]}"
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "dead_letter" {
  project = var.project
  topic   = google_pubsub_topic.this["dead-letter"].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

# To move a message to the dead letters, Pub/Sub's agent must also remove it from the subscription.
resource "google_pubsub_subscription_iam_member" "dead_letter" {
  for_each = google_pubsub_subscription.push

  project      = var.project
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
