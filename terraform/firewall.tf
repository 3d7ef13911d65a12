locals {
  networks = try(var.firewall.networks, {})
  # Version 0.1 knew one network, "this", and put no name into its rules.
  rule_suffixes = { for key in keys(local.networks) : key => key == "this" ? "" : "-${key}" }
}

resource "google_compute_firewall" "pods" {
  for_each = local.networks

  project       = each.value.project
  network       = each.value.network
  name          = "${var.name}-pods${local.rule_suffixes[each.key]}"
  description   = "Pods of a member reach pods of the others; mutual TLS decides who may."
  direction     = "INGRESS"
  source_ranges = var.firewall.pod_ranges
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

  depends_on = [time_sleep.services]
}

resource "google_compute_firewall" "webhooks" {
  for_each = { for key, network in local.networks : key => network if length(network.control_plane_ranges) > 0 }

  project       = each.value.project
  network       = each.value.network
  name          = "${var.name}-webhooks${local.rule_suffixes[each.key]}"
  description   = "API servers reach istiod's webhooks; GKE's own rule opens 443 and 10250 only."
  direction     = "INGRESS"
  source_ranges = each.value.control_plane_ranges
  target_tags   = length(each.value.node_tags) > 0 ? each.value.node_tags : null

  allow {
    protocol = "tcp"
    ports    = ["15017"]
  }

  depends_on = [time_sleep.services]
}
