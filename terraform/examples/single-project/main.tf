# Clusters and Meshjoin in one project.
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

module "meshjoin" {
  source = "../.."

  project    = var.project
  mesh_id    = "shop"
  source_zip = var.source_zip
}

output "environment" {
  description = "For the command line: terraform output -json environment."
  value       = module.meshjoin.environment
}

output "function_urls" {
  description = "Address of each function."
  value       = module.meshjoin.function_urls
}
