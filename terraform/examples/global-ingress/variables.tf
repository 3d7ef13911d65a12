variable "project" {
  type        = string
  description = "The project of the load balancer. Backends in other projects have to be in a Shared VPC of it (cross-project references)."
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project))
    error_message = "Use a project ID."
  }
}

variable "name" {
  type        = string
  description = "Of everything here, before «-ingress»."
  default     = "mesh"
  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$", var.name))
    error_message = "Use lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "members" {
  type = map(object({
    project = string
    group   = string
    zones   = list(string)
  }))
  description = "By a name of your own: the project of each cluster, the name of its network endpoint groups as in its Service, and the zones of its nodes."
  validation {
    condition     = length(var.members) > 0 && alltrue([for member in values(var.members) : length(member.zones) > 0])
    error_message = "Name at least one member, and a zone of each."
  }
}

variable "networks" {
  type        = map(object({ project = string, network = string }))
  description = "By a name of your own: each network of the members, for the firewall rule that lets the load balancer in."
  validation {
    condition     = length(var.networks) > 0
    error_message = "Name the network of the members."
  }
}

variable "domains" {
  type        = list(string)
  description = "The names that users call, for the certificate."
  validation {
    condition     = length(var.domains) > 0
    error_message = "Name at least one domain."
  }
}

variable "max_rate_per_endpoint" {
  type        = number
  description = "Requests a second for each pod of an ingress, before the load balancer sends users to a member that is farther away."
  default     = 500
  validation {
    condition     = var.max_rate_per_endpoint > 0
    error_message = "Use a number above 0."
  }
}

variable "timeout_sec" {
  type        = number
  description = "How long a request may take, in seconds."
  default     = 30
  validation {
    condition     = var.timeout_sec > 0
    error_message = "Use a number above 0."
  }
}
