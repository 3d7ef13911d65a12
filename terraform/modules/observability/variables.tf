variable "project" {
  type        = string
  description = "Project whose logs are counted."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "name" {
  type        = string
  description = "First part of the metrics' names."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]+$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "mesh_id" {
  type        = string
  description = "The mesh's ID: part of the dashboard's name and of the root secret's."
  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.mesh_id))
    error_message = "Use a mesh ID."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of the alert policies."
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "signer" {
  type        = string
  description = "E-mail address of the one account that reads root keys."
  validation {
    condition     = can(regex("@", var.signer))
    error_message = "Use an e-mail address."
  }
}

variable "subscriptions" {
  type        = map(string)
  description = "Names of the subscriptions, by topic."
  validation {
    condition     = alltrue([for key in ["cluster-events", "dead-letter"] : contains(keys(var.subscriptions), key)])
    error_message = "Name the subscriptions of cluster-events and dead-letter."
  }
}

variable "notification_channels" {
  type        = list(string)
  description = "Notification channels of the alerts."
  default     = []
  validation {
    condition     = alltrue([for channel in var.notification_channels : startswith(channel, "projects/")])
    error_message = "Use projects/P/notificationChannels/N."
  }
}

variable "runbook_url" {
  type        = string
  description = "Address of docs/runbook.md; empty: only in the repository."
  validation {
    condition     = can(regex("^(https://[^#]+)?$", var.runbook_url))
    error_message = "Use an https URL without a fragment, or nothing."
  }
}
