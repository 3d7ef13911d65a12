variable "project" {
  type        = string
  description = "Project of the repository."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "project_number" {
  type        = string
  description = "Number of that project: part of the name of Artifact Registry's service agent."
  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "Use a project number."
  }
}

variable "location" {
  type        = string
  description = "Location of the repository: a region or a multi-region."
  validation {
    condition     = can(regex("^[a-z]+(-[a-z]+[0-9]+)?$", var.location))
    error_message = "Use a location like europe-west1 or europe."
  }
}

variable "name" {
  type        = string
  description = "First part of the repository's name."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]+$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of the repository."
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "node_accounts" {
  type        = list(string)
  description = "E-mail addresses of the accounts that may pull."
  validation {
    condition     = alltrue([for account in var.node_accounts : can(regex("@", account))])
    error_message = "Use e-mail addresses."
  }
}

variable "credentials" {
  type        = object({ username = string, password_secret_version = string })
  description = "Account at Docker Hub; null: none."
  default     = null
  validation {
    condition     = var.credentials == null || can(regex("^projects/[^/]+/secrets/[^/]+/versions/[^/]+$", var.credentials.password_secret_version))
    error_message = "Use projects/P/secrets/S/versions/V as password_secret_version."
  }
}
