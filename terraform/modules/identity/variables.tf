variable "project" {
  type        = string
  description = "Project of the service accounts and of the root secret."
  validation {
    condition     = var.project != ""
    error_message = "Use a project ID."
  }
}

variable "name" {
  type        = string
  description = "First part of the accounts' names."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{2,14}[a-z0-9]$", var.name))
    error_message = "Use 4 to 16 lower-case letters, digits and hyphens."
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
