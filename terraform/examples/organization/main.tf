# Meshjoin in a project of its own; clusters in several projects of one organization, all in one shared VPC,
# with one sink.
terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.31, < 9"
    }
  }
}

provider "google" {
  project = "acme-mesh"
}

# Through the module, so that it is made after Cloud Monitoring is enabled.
resource "google_monitoring_notification_channel" "on_call" {
  project      = module.meshjoin.project
  display_name = "Mesh on call"
  type         = "email"
  labels       = { email_address = "mesh-on-call@example.com" }
}

module "meshjoin" {
  source = "../.."

  project         = "acme-mesh"
  mesh_id         = "acme"
  member_projects = ["acme-shop-prod", "acme-pay-prod"]
  event_source    = "organizations/123456789012"

  source_object = {
    bucket = "acme-mesh-builds"
    name   = "v0.2.0/meshjoin-functions-0.2.0.zip"
    # The bucket's own configuration grants who may read it.
    grant = false
  }

  sync_invokers         = ["group:mesh-on-call@example.com"]
  notification_channels = [google_monitoring_notification_channel.on_call.name]

  root_secret = {
    locations = ["europe-west1", "europe-west4"]
  }

  firewall = {
    pod_ranges = ["10.4.0.0/14", "10.8.0.0/14"]
    networks   = { prod = { project = "acme-network", network = "prod" } }
  }

  settings = {
    ALLOW     = "prod-*"
    TOKEN_TTL = "3d"
  }
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}
