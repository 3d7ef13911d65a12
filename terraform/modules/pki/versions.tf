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
