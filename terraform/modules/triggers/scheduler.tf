locals {
  syncs = {
    sync = { schedule = "*/10 * * * *", body = { scope = "mesh" }, retries = 0 }
    deep = { schedule = "17 3 * * *", body = { scope = "mesh", deep = true }, retries = 3 }
  }
}

resource "google_cloud_scheduler_job" "sync" {
  for_each = local.syncs

  project          = var.project
  region           = var.region
  name             = "${var.name}-${each.key}"
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "540s"

  http_target {
    http_method = "POST"
    uri         = "${var.functions["sync-mesh"]}/sync"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode(each.value.body))
    oidc_token {
      service_account_email = var.accounts["scheduler"]
      audience              = var.functions["sync-mesh"]
    }
  }

  retry_config {
    retry_count          = each.value.retries
    min_backoff_duration = "60s"
  }
}

resource "google_cloud_scheduler_job" "tick" {
  project   = var.project
  region    = var.region
  name      = "${var.name}-tick"
  schedule  = "5-59/10 * * * *"
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this["rotation"].id
    data       = base64encode(jsonencode({ kind = "tick" }))
  }
}
