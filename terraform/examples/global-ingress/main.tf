# One address in front of the ingresses of all members: Google's global external Application Load Balancer. It
# sends users to the nearest members whose ingress is healthy. Its backends are network endpoint groups, which
# GKE makes of the Service in neg-service.yaml, in each zone of a cluster; so apply that first, and this
# when the groups are there. README.md beside it has the steps, and what was tried.
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
  project = var.project
}

locals {
  groups = {
    for group in flatten([
      for name, member in var.members : [
        for zone in member.zones : { project = member.project, name = member.group, zone = zone, member = name }
      ]
    ]) : "${group.member}/${group.zone}" => group
  }
}

data "google_compute_network_endpoint_group" "member" {
  for_each = local.groups

  project = each.value.project
  name    = each.value.name
  zone    = each.value.zone
}

# Load balancer and health checks come from these ranges, to the pods themselves.
# https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges
resource "google_compute_firewall" "ingress" {
  for_each = var.networks

  project       = each.value.project
  name          = "${var.name}-ingress"
  description   = "Google's load balancer and its health checks, to the ingress of the mesh."
  network       = each.value.network
  direction     = "INGRESS"
  source_ranges = ["35.191.0.0/16", "130.211.0.0/22"]

  allow {
    protocol = "tcp"
    ports    = ["80", "15021"]
  }
}

# Of the proxy, not of a service behind it: an ingress without servers of its own reaches those of others.
resource "google_compute_health_check" "ingress" {
  project            = var.project
  name               = "${var.name}-ingress"
  check_interval_sec = 5
  timeout_sec        = 2

  http_health_check {
    port         = 15021
    request_path = "/healthz/ready"
  }
}

resource "google_compute_backend_service" "ingress" {
  project               = var.project
  name                  = "${var.name}-ingress"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTP"
  timeout_sec           = var.timeout_sec
  health_checks         = [google_compute_health_check.ingress.id]

  dynamic "backend" {
    for_each = data.google_compute_network_endpoint_group.member

    content {
      group                 = backend.value.id
      balancing_mode        = "RATE"
      max_rate_per_endpoint = var.max_rate_per_endpoint
    }
  }

  log_config {
    enable = true
  }
}

resource "google_compute_url_map" "ingress" {
  project         = var.project
  name            = "${var.name}-ingress"
  default_service = google_compute_backend_service.ingress.id
}

# Google makes and renews it once the names lead to the address.
resource "google_compute_managed_ssl_certificate" "ingress" {
  project = var.project
  name    = "${var.name}-ingress"

  managed {
    domains = var.domains
  }
}

resource "google_compute_ssl_policy" "ingress" {
  project         = var.project
  name            = "${var.name}-ingress"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "ingress" {
  project          = var.project
  name             = "${var.name}-ingress"
  url_map          = google_compute_url_map.ingress.id
  ssl_certificates = [google_compute_managed_ssl_certificate.ingress.id]
  ssl_policy       = google_compute_ssl_policy.ingress.id
}

resource "google_compute_global_address" "ingress" {
  project = var.project
  name    = "${var.name}-ingress"
}

resource "google_compute_global_forwarding_rule" "ingress" {
  project               = var.project
  name                  = "${var.name}-ingress"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.ingress.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.ingress.id
}

output "address" {
  description = "Where the names in domains have to lead."
  value       = google_compute_global_address.ingress.address
}
