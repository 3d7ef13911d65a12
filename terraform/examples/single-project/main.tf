# Clusters and Meshjoin in one project.
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

variable "project" {
  type        = string
  description = "The project."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "source_zip" {
  type        = string
  description = "Zip of dist/."
  default     = "../../../meshjoin.zip"
  validation {
    condition     = endswith(var.source_zip, ".zip")
    error_message = "Name a .zip file."
  }
}

variable "network" {
  type        = string
  description = "Network of the clusters."
  default     = "default"
  validation {
    condition     = var.network != ""
    error_message = "Use the name of a network."
  }
}

variable "pod_ranges" {
  type        = list(string)
  description = "Pod ranges of all members, those of single node pools included. Add the range of each new member."
  validation {
    condition     = alltrue([for range in var.pod_ranges : can(cidrhost(range, 0))])
    error_message = "Use CIDR ranges, like 10.4.0.0/14."
  }
}

module "meshjoin" {
  source = "../.."

  project    = var.project
  mesh_id    = "shop"
  source_zip = var.source_zip

  # Nodes run as the project's Compute Engine default account by default.
  image_mirror = {}

  # Without this, pods of two clusters cannot reach each other: GKE admits only pods of the same cluster.
  firewall = {
    pod_ranges = var.pod_ranges
    networks   = { main = { project = var.project, network = var.network } }
  }
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}

output "function_urls" {
  description = "Address of each function."
  value       = module.meshjoin.function_urls
}
