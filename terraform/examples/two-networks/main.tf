# Clusters in two networks of two projects, one mesh. The networks are peered, so that internal gateways reach
# across; their ranges must not overlap. Peering is not transitive: a third network needs a peering with each.
# API servers are not reached over it either, so the istiods use DNS-based endpoints.
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
  project = local.networks.shop.project
}

locals {
  region = "europe-west1"

  networks = {
    shop = { project = "shop-prod", peer = "pay", nodes = "10.0.0.0/20", pods = "10.4.0.0/14", services = "10.8.0.0/20" }
    pay  = { project = "pay-prod", peer = "shop", nodes = "10.16.0.0/20", pods = "10.20.0.0/14", services = "10.24.0.0/20" }
  }
}

# Meshjoin's own project through the module, so that its network is made after Compute Engine is enabled. In
# the other project enable it before.
resource "google_compute_network" "mesh" {
  #checkov:skip=CKV2_GCP_18:module meshjoin makes the rule between pods, and GKE its own
  for_each = local.networks

  project                 = each.key == "shop" ? module.meshjoin.project : each.value.project
  name                    = each.key
  auto_create_subnetworks = false
}

# For clusters: --subnetwork=mesh --cluster-secondary-range-name=pods
# --services-secondary-range-name=services
resource "google_compute_subnetwork" "mesh" {
  for_each = local.networks

  project                  = each.value.project
  region                   = local.region
  name                     = "mesh"
  network                  = google_compute_network.mesh[each.key].id
  ip_cidr_range            = each.value.nodes
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = each.value.pods
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = each.value.services
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
  }
}

# Both sides: a peering works when each network names the other.
resource "google_compute_network_peering" "mesh" {
  for_each = local.networks

  name         = "mesh-${each.value.peer}"
  network      = google_compute_network.mesh[each.key].id
  peer_network = google_compute_network.mesh[each.value.peer].id
}

module "meshjoin" {
  source = "../.."

  project         = local.networks.shop.project
  region          = local.region
  mesh_id         = "shop"
  member_projects = [for network in values(local.networks) : network.project]
  source_zip      = "../../../meshjoin.zip"

  settings = {
    # The names that Istio has for the networks: PROJECT.NETWORK.
    CONNECTED_NETWORKS = join("+", sort([for name, network in local.networks : "${network.project}.${name}"]))
    ACCESS_PEERS       = "dns"
  }

  # Pods of either network reach pods of their own, and the gateways of the other at port 15443 of its nodes.
  firewall = {
    pod_ranges = [for network in values(local.networks) : network.pods]
    networks   = { for name, network in local.networks : name => { project = network.project, network = google_compute_network.mesh[name].name } }
  }
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}
