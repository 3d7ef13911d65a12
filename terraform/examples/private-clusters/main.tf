# Clusters whose API servers have private addresses only. The functions have addresses in the members' VPC, in
# a subnetwork of their own; each cluster must admit that range (master authorized networks), and allow global
# access if it is in another region. Nodes without a way to the internet pull Istio's images from a mirror.
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
  project = local.project
}

locals {
  project      = "shop-prod"
  region       = "europe-west1"
  network      = "prod"
  egress_range = "10.200.0.0/26"
}

# Its project through the module, so that it is made after Compute Engine is enabled.
resource "google_compute_subnetwork" "meshjoin" {
  project                  = module.meshjoin.project
  region                   = local.region
  name                     = "meshjoin"
  network                  = local.network
  ip_cidr_range            = local.egress_range
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
  }
}

module "meshjoin" {
  source = "../.."

  project    = local.project
  region     = local.region
  mesh_id    = "shop"
  source_zip = "../../../meshjoin.zip"

  vpc_egress = {
    network    = local.network
    subnetwork = google_compute_subnetwork.meshjoin.name
  }

  settings = {
    ACCESS_FUNCTION = "private"
    ACCESS_PEERS    = "private"
  }

  firewall = {
    pod_ranges = ["10.4.0.0/14"]
    networks = {
      prod = {
        project              = local.project
        network              = local.network
        control_plane_ranges = ["172.16.0.0/28", "172.16.0.16/28"]
      }
    }
  }

  image_mirror = {
    node_accounts = ["gke-nodes@shop-prod.iam.gserviceaccount.com"]
  }
}

output "authorized_network" {
  description = "Range to add to the master authorized networks of each cluster, beside the pod ranges of its peers."
  value       = local.egress_range
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}
