variable "project" {
  type        = string
  description = "Project of the root secret."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "project_number" {
  type        = string
  description = "Number of that project: part of the name of Secret Manager's service agent."
  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "Use a project number."
  }
}

variable "mesh_id" {
  type        = string
  description = "The mesh's ID, first part of the secret's name."
  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.mesh_id))
    error_message = "Use a mesh ID."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of the secret."
  default     = {}
  validation {
    condition     = alltrue([for key in keys(var.labels) : can(regex("^[a-z]", key))])
    error_message = "Label keys begin with a lower-case letter."
  }
}

variable "root_secret" {
  type = object({
    rotation_period = string
    first_rotation  = optional(string)
    destroy_after   = string
    locations       = list(string)
    kms_key         = optional(string)
  })
  description = "As in the root module."
  validation {
    condition     = can(regex("^[0-9]+s$", var.root_secret.rotation_period)) && can(regex("^[0-9]+s$", var.root_secret.destroy_after))
    error_message = "Use seconds, like 2592000s."
  }
}

variable "rotation_topic" {
  type        = string
  description = "Full name of the topic that Secret Manager notifies."
  validation {
    condition     = can(regex("^projects/[^/]+/topics/[^/]+$", var.rotation_topic))
    error_message = "Use projects/P/topics/T."
  }
}

variable "accounts" {
  type        = map(string)
  description = "IAM members by account: reconciler, rotator, signer."
  validation {
    condition     = alltrue([for key in ["reconciler", "rotator", "signer"] : contains(keys(var.accounts), key)])
    error_message = "Name reconciler, rotator and signer."
  }
}

variable "root_roles" {
  type        = map(string)
  description = "Roles on the root secret, by account."
  validation {
    condition     = alltrue([for key in keys(var.root_roles) : contains(["reconciler", "rotator", "signer"], key)])
    error_message = "Only reconciler, rotator and signer have a role on the root secret."
  }
}

variable "audit_secret_access" {
  type        = bool
  description = "Turn on Data Access audit logs of Secret Manager in the project."
}
