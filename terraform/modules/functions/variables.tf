variable "project" {
  type        = string
  description = "Project of the functions."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "region" {
  type        = string
  description = "Region of the functions and of the source bucket."
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Use a region, like europe-west1."
  }
}

variable "name" {
  type        = string
  description = "Part of the bucket's name."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]+$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of functions and bucket."
  default     = {}
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "environment" {
  type        = map(string)
  description = "Environment variables of all functions."
  validation {
    condition     = contains(keys(var.environment), "MESHJOIN_MESH_ID")
    error_message = "Set MESHJOIN_MESH_ID."
  }
}

variable "source_zip" {
  type        = string
  description = "Path of the zip to upload; null if source_object is set."
  default     = null
  validation {
    condition     = var.source_zip == null || can(regex("[.]zip$", var.source_zip))
    error_message = "Name a .zip file."
  }
}

variable "source_object" {
  type        = object({ bucket = string, name = string, grant = bool })
  description = "A zip in a bucket, and whether to grant the builder to read there; null if source_zip is set."
  default     = null
  validation {
    condition     = var.source_object == null || can(regex("[.]zip$", var.source_object.name))
    error_message = "Name a .zip object."
  }
}

variable "accounts" {
  type        = map(string)
  description = "E-mail addresses of reconciler, rotator and signer."
  validation {
    condition     = alltrue([for key in ["reconciler", "rotator", "signer"] : contains(keys(var.accounts), key)])
    error_message = "Name reconciler, rotator and signer."
  }
}

variable "builder" {
  type        = object({ name = string, email = string, unique_id = string })
  description = "Account of the builder: full name, e-mail address and unique ID."
  validation {
    condition     = can(regex("^projects/[^/]+/serviceAccounts/[^/]+$", var.builder.name))
    error_message = "Use projects/P/serviceAccounts/E as name."
  }
}

variable "ingress" {
  type        = object({ events = string, sync = string, signer = string })
  description = "As in the root module."
  validation {
    condition     = alltrue([for value in values(var.ingress) : startswith(value, "ALLOW_")])
    error_message = "Use ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  }
}

variable "vpc_egress" {
  type        = object({ network = string, subnetwork = string, tags = list(string), traffic = string })
  description = "As in the root module."
  default     = null
  validation {
    condition     = var.vpc_egress == null || contains(["PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"], try(var.vpc_egress.traffic, ""))
    error_message = "Use PRIVATE_RANGES_ONLY or ALL_TRAFFIC."
  }
}

variable "max_instances" {
  type        = number
  description = "Most instances of each function."
  validation {
    condition     = var.max_instances >= 1
    error_message = "Use 1 or more."
  }
}

variable "invokers" {
  type        = map(map(string))
  description = "Who may call each function: IAM members by a name of their own."
  validation {
    condition     = alltrue([for name in keys(var.invokers) : contains(["examine-rotator", "on-cluster-event", "on-rotation-request", "sign-intermediate", "sync-mesh"], name)])
    error_message = "Name functions of Meshjoin."
  }
}
