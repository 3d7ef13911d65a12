variable "project" {
  type        = string
  description = "Project of topics, subscriptions and jobs."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "project_number" {
  type        = string
  description = "Number of that project: part of the name of Pub/Sub's service agent."
  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "Use a project number."
  }
}

variable "region" {
  type        = string
  description = "Region of the Scheduler jobs."
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Use a region, like europe-west1."
  }
}

variable "name" {
  type        = string
  description = "First part of all names."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]+$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of topics and subscriptions."
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "member_projects" {
  type        = list(string)
  description = "Projects whose clusters may be members."
  validation {
    condition     = length(var.member_projects) > 0
    error_message = "Name at least one project."
  }
}

variable "event_source" {
  type        = string
  description = "As in the root module."
  validation {
    condition     = can(regex("^(none|projects|(folders|organizations)/[0-9]+)$", var.event_source))
    error_message = "Use projects, folders/NUMBER, organizations/NUMBER or none."
  }
}

variable "functions" {
  type        = map(string)
  description = "Address of each function."
  validation {
    condition     = alltrue([for name in ["on-cluster-event", "on-rotation-request", "sync-mesh"] : contains(keys(var.functions), name)])
    error_message = "Name on-cluster-event, on-rotation-request and sync-mesh."
  }
}

variable "accounts" {
  type        = map(string)
  description = "E-mail addresses of push and scheduler."
  validation {
    condition     = alltrue([for key in ["push", "scheduler"] : contains(keys(var.accounts), key)])
    error_message = "Name push and scheduler."
  }
}
