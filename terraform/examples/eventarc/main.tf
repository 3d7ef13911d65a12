# Eventarc in place of the log sinks: a trigger for each method and version, in each project. The function
# understands both. Eventarc makes the subscriptions itself, so dead letter, ack deadline and backoff cannot
# be set, and no alert sees a backlog. It cannot tell first entries from last ones, so each operation calls
# the function twice.
terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.31, < 9"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.13.1, < 1"
    }
  }
}

provider "google" {
  project = local.project
}

locals {
  project = "shop-prod"
  region  = "europe-west1"

  methods  = ["CreateCluster", "DeleteCluster", "SetLabels", "UpdateCluster", "StartIPRotation", "CompleteIPRotation", "SetMasterAuth"]
  triggers = { for pair in setproduct(["v1", "v1beta1"], local.methods) : lower("${pair[0]}-${pair[1]}") => "google.container.${pair[0]}.ClusterManager.${pair[1]}" }
}

module "meshjoin" {
  source = "../.."

  project      = local.project
  region       = local.region
  mesh_id      = "shop"
  source_zip   = "../../../meshjoin.zip"
  event_source = "none"
}

resource "google_project_service" "eventarc" {
  project            = local.project
  service            = "eventarc.googleapis.com"
  disable_on_destroy = false
}

# Google makes Eventarc's agent with the API; its role takes some minutes to work.
resource "time_sleep" "eventarc" {
  create_duration = "180s"
  triggers        = { service = google_project_service.eventarc.id, receiver = google_project_iam_member.event_receiver.id }
}

resource "google_project_iam_member" "event_receiver" {
  project = local.project
  role    = "roles/eventarc.eventReceiver"
  member  = "serviceAccount:${module.meshjoin.service_accounts["push"]}"
}

resource "google_eventarc_trigger" "cluster_events" {
  for_each = local.triggers

  project         = local.project
  location        = "global"
  name            = "meshjoin-${each.key}"
  service_account = module.meshjoin.service_accounts["push"]

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.audit.log.v1.written"
  }
  matching_criteria {
    attribute = "serviceName"
    value     = "container.googleapis.com"
  }
  matching_criteria {
    attribute = "methodName"
    value     = each.value
  }

  destination {
    cloud_run_service {
      service = "on-cluster-event"
      region  = local.region
    }
  }

  # The service by name, not by reference.
  depends_on = [time_sleep.eventarc, module.meshjoin]
}
