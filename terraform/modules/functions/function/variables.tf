variable "project" {
  type        = string
  description = "Project of the function."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "region" {
  type        = string
  description = "Region of the function."
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Use a region, like europe-west1."
  }
}

variable "name" {
  type        = string
  description = "Name of the function, and the entry point that it runs."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]+$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "description" {
  type        = string
  description = "Its purpose."
  validation {
    condition     = var.description != ""
    error_message = "Give its purpose."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of the function."
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "source_object" {
  type        = object({ bucket = string, name = string })
  description = "The zip of its source."
  validation {
    condition     = can(regex("[.]zip$", var.source_object.name))
    error_message = "Name a .zip object."
  }
}

variable "service_account" {
  type        = string
  description = "E-mail address of the account that it runs as."
  validation {
    condition     = can(regex("@", var.service_account))
    error_message = "Use an e-mail address."
  }
}

variable "builder" {
  type        = string
  description = "Full name of the account that builds it."
  validation {
    condition     = can(regex("^projects/[^/]+/serviceAccounts/[^/]+$", var.builder))
    error_message = "Use projects/P/serviceAccounts/E."
  }
}

variable "environment" {
  type        = map(string)
  description = "Its MESHJOIN_* variables."
  validation {
    condition     = alltrue([for key in keys(var.environment) : startswith(key, "MESHJOIN_")])
    error_message = "Only MESHJOIN_* is set from outside."
  }
}

variable "timeout" {
  type        = number
  description = "Seconds after which a request is cut off."
  validation {
    condition     = var.timeout >= 1 && var.timeout <= 3600
    error_message = "Use 1 to 3600."
  }
}

variable "concurrency" {
  type        = number
  description = "Requests of one instance at the same time."
  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 80
    error_message = "Use 1 to 80."
  }
}

variable "ingress" {
  type        = string
  description = "The networks that may reach it."
  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"], var.ingress)
    error_message = "Use ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  }
}

variable "vpc_egress" {
  type        = object({ network = string, subnetwork = string, tags = list(string), traffic = string })
  description = "Network and subnetwork through which it reaches private addresses; null: none."
  default     = null
  validation {
    condition     = var.vpc_egress == null || contains(["PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"], try(var.vpc_egress.traffic, ""))
    error_message = "Use PRIVATE_RANGES_ONLY or ALL_TRAFFIC."
  }
}

variable "max_instances" {
  type        = number
  description = "Most instances."
  validation {
    condition     = var.max_instances >= 1
    error_message = "Use 1 or more."
  }
}

variable "invokers" {
  type        = map(string)
  description = "Who may call it: IAM members by a name of their own."
  validation {
    condition     = alltrue([for member in values(var.invokers) : can(regex("^[a-zA-Z]+:.+", member))])
    error_message = "Use IAM members like group:NAME."
  }
}
