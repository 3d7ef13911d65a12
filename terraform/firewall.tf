locals {
  rules = var.firewall == null ? {} : { this = var.firewall }
}

resource "google_compute_firewall" "pods" {
  for_each = local.rules

  project       = each.value.project
  network       = each.value.network
  name          = "${var.name}-pods"
  description   = "Pods of a member reach pods of the others; mutual TLS says who may."
  direction     = "INGRESS"
  source_ranges = each.value.pod_ranges
  target_tags   = length(each.value.node_tags) > 0 ? each.value.node_tags : null

  allow {
    protocol = "tcp"
  }
  allow {
    protocol = "udp"
  }
  allow {
    protocol = "icmp"
  }
}

resource "google_compute_firewall" "webhooks" {
  for_each = { for key, rule in local.rules : key => rule if length(rule.control_plane_ranges) > 0 }

  project       = each.value.project
  network       = each.value.network
  name          = "${var.name}-webhooks"
  description   = "Control planes reach istiod's webhooks; GKE's own rule opens 443 and 10250 only."
  direction     = "INGRESS"
  source_ranges = each.value.control_plane_ranges
  target_tags   = length(each.value.node_tags) > 0 ? each.value.node_tags : null

  allow {
    protocol = "tcp"
    ports    = ["15017"]
  }
}
