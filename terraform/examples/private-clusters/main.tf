# Clusters whose control planes have private addresses only. The functions reach them through a connector in the members' VPC; each
# cluster must let that range in (master authorized networks), and global access if it is in another region.
terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50.0"
    }
  }
}

provider "google" {
  project = local.project
}

locals {
  project         = "shop-prod"
  region          = "europe-west1"
  network         = "prod"
  connector_range = "10.200.0.0/28"
}

resource "google_project_service" "vpcaccess" {
  project            = local.project
  service            = "vpcaccess.googleapis.com"
  disable_on_destroy = false
}

resource "google_vpc_access_connector" "meshjoin" {
  project       = local.project
  region        = local.region
  name          = "meshjoin"
  network       = local.network
  ip_cidr_range = local.connector_range
  min_instances = 2
  max_instances = 3
  machine_type  = "e2-micro"

  depends_on = [google_project_service.vpcaccess]
}

module "meshjoin" {
  source = "../.."

  project    = local.project
  region     = local.region
  mesh_id    = "shop"
  source_zip = "../../../meshjoin.zip"

  vpc_egress = {
    connector = google_vpc_access_connector.meshjoin.id
  }

  settings = {
    ACCESS_FUNCTION = "private"
    ACCESS_PEERS    = "private"
  }

  firewall = {
    project              = local.project
    network              = local.network
    pod_ranges           = ["10.4.0.0/14"]
    control_plane_ranges = ["172.16.0.0/28", "172.16.0.16/28"]
  }
}

output "authorized_network" {
  description = "Range to add to the master authorized networks of each cluster, beside the pod ranges of its peers."
  value       = local.connector_range
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}
