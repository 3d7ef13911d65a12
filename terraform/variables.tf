variable "project" {
  type        = string
  description = "Project that Meshjoin runs in: functions, topics, the root secret, alerts."
  validation {
    condition     = can(regex("^([a-z0-9][-.a-z0-9]*:)?[a-z][-a-z0-9]{1,28}[a-z0-9]$", var.project))
    error_message = "Use a project ID."
  }
}

variable "region" {
  type        = string
  description = "Region of the functions, the Scheduler jobs and the source bucket."
  default     = "europe-west1"
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Use a region, like europe-west1."
  }
}

variable "name" {
  type        = string
  description = "First part of the names of accounts, topics, jobs and metrics."
  default     = "meshjoin"
  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{2,14}[a-z0-9]$", var.name))
    error_message = "Use 4 to 16 lower-case letters, digits and hyphens."
  }
}

variable "mesh_id" {
  type        = string
  description = "The mesh's ID, the value of its members' label: MESHJOIN_MESH_ID."
  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.mesh_id)) && !startswith(var.mesh_id, "proj-")
    error_message = "Use 1 to 30 lower-case letters, digits and hyphens, beginning with a letter; not proj-…."
  }
  validation {
    condition     = !contains(["false", "n", "no", "null", "off", "on", "true", "y", "yes"], var.mesh_id)
    error_message = "Use no word that YAML does not read as a string, like on."
  }
}

variable "member_projects" {
  type        = list(string)
  description = "Projects whose clusters may be members: MESHJOIN_PROJECTS. Empty: the project of Meshjoin itself."
  default     = []
  validation {
    condition     = length(distinct(var.member_projects)) == length(var.member_projects)
    error_message = "Name each project once."
  }
  validation {
    condition     = alltrue([for id in var.member_projects : can(regex("^([a-z0-9][-.a-z0-9]*:)?[a-z][-a-z0-9]{1,28}[a-z0-9]$", id))])
    error_message = "Use project IDs."
  }
}

variable "settings" {
  type        = map(string)
  description = "Further MESHJOIN_* variables of the functions (docs/reference/config.md), by name without MESHJOIN_, like { TOKEN_TTL = \"3d\" }."
  default     = {}
  validation {
    condition = alltrue([for name in keys(var.settings) : contains([
      "ACCESS_FUNCTION",
      "ACCESS_PEERS",
      "ALLOW",
      "CLOCK_SKEW",
      "DRAIN_AFTER",
      "DRAIN_SHARE",
      "INTERMEDIATE_TTL",
      "KEY_ALGORITHM",
      "CONNECTED_NETWORKS",
      "DNS_CAPTURE",
      "FAILOVER",
      "GATEWAYS",
      "GATEWAY_EXPOSURE",
      "GATEWAY_SETTLE",
      "GATEWAY_SOURCE_RANGES",
      "INGRESS",
      "INGRESS_TLS_SECRET",
      "LEAVE_GRACE",
      "MASS_LEAVE_SHARE",
      "MESH_LABEL",
      "PROBE",
      "ROTATION_SHARE",
      "TOKEN_TTL",
      "WORKLOAD_TTL",
    ], name)])
    error_message = "Use names of docs/reference/config.md without MESHJOIN_; the others have variables of their own, or are outputs."
  }
}

variable "source_zip" {
  type        = string
  description = "Path of a zip of the output of npm run build, package.json at the top. Uploaded to a bucket of Meshjoin's own."
  default     = null
  validation {
    condition     = (var.source_zip == null) != (var.source_object == null)
    error_message = "Set source_zip or source_object, and not both."
  }
}

variable "source_object" {
  type        = object({ bucket = string, name = string, grant = optional(bool, true) })
  description = "Such a zip that is in a bucket already, as a build pipeline leaves it. Terraform grants the builder to read that bucket, unless grant is false: for a bucket of others, which the builder may read already, as everybody may one of published releases. Whether the agent of Cloud Functions, service-NUMBER@gcf-admin-robot.iam.gserviceaccount.com, must read a foreign bucket, too, was not tried."
  default     = null
  validation {
    condition     = var.source_object == null || can(regex("[.]zip$", var.source_object.name))
    error_message = "Name a .zip object."
  }
}

variable "event_source" {
  type        = string
  description = "Source of audit-log entries: \"projects\" (a sink in each member project), \"folders/NUMBER\" or \"organizations/NUMBER\" (one sink for all projects below), or \"none\" (examples/eventarc)."
  default     = "projects"
  validation {
    condition     = can(regex("^(none|projects|(folders|organizations)/[0-9]+)$", var.event_source))
    error_message = "Use projects, folders/NUMBER, organizations/NUMBER or none."
  }
}

variable "ingress" {
  type = object({
    events = optional(string, "ALLOW_INTERNAL_ONLY")
    sync   = optional(string, "ALLOW_ALL")
    signer = optional(string, "ALLOW_ALL")
  })
  description = "The networks that may reach the functions; IAM guards each of them in any case. The signer is called by other functions, which count as internal only with all their egress in a VPC."
  default     = {}
  validation {
    condition     = alltrue([for value in values(var.ingress) : contains(["ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"], value)])
    error_message = "Use ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  }
}

variable "vpc_egress" {
  type = object({
    network    = optional(string)
    subnetwork = optional(string)
    tags       = optional(list(string), [])
    traffic    = optional(string, "PRIVATE_RANGES_ONLY")
    connector  = optional(string)
  })
  description = "Direct VPC egress: network and subnetwork (/26 or wider, in the functions' region) through which the functions reach private endpoints of API servers, and network tags for firewall rules. With a shared VPC, both as projects/P/…."
  default     = null
  validation {
    condition     = try(var.vpc_egress.connector, null) == null
    error_message = "vpc_egress.connector is gone: use vpc_egress.network and vpc_egress.subnetwork, and put the range of that subnetwork among the authorized networks."
  }
  validation {
    condition     = var.vpc_egress == null || try(var.vpc_egress.network, null) != null || try(var.vpc_egress.subnetwork, null) != null
    error_message = "Set vpc_egress.network, vpc_egress.subnetwork or both."
  }
  validation {
    condition     = alltrue([for name in [try(var.vpc_egress.network, null), try(var.vpc_egress.subnetwork, null)] : !can(regex("://", name))])
    error_message = "Use a name or projects/P/… as vpc_egress.network and vpc_egress.subnetwork, not a link that begins with https://."
  }
  validation {
    condition     = var.vpc_egress == null || contains(["PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"], try(var.vpc_egress.traffic, ""))
    error_message = "Use PRIVATE_RANGES_ONLY or ALL_TRAFFIC as vpc_egress.traffic."
  }
}

variable "sync_invokers" {
  type        = list(string)
  description = "Who may call sync-mesh beside the scheduler: see its page and sync the mesh. IAM members, like group:mesh@example.com."
  default     = []
  validation {
    condition     = alltrue([for member in var.sync_invokers : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "Use IAM members like group:NAME; everybody (allUsers) may not."
  }
}

variable "max_instances" {
  type        = number
  description = "The most instances of each function, so the most events at the same time."
  default     = 10
  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100
    error_message = "Use 1 to 100."
  }
}

variable "root_secret" {
  type = object({
    rotation_period = optional(string, "157680000s")
    first_rotation  = optional(string)
    destroy_after   = optional(string, "2592000s")
    locations       = optional(list(string), [])
    kms_key         = optional(string)
  })
  description = "The secret of the root CA: how often Secret Manager orders a rotation, and when first (RFC 3339; default in a period), for how long a version that is destroyed can be brought back, where it is kept (empty: Google chooses), and the KMS key that encrypts it."
  default     = {}
  validation {
    condition     = try(regex("^([0-9]+)s$", var.root_secret.rotation_period)[0] >= 3600, false)
    error_message = "Use seconds for rotation_period, at least an hour: 3600s."
  }
  validation {
    condition     = try(regex("^([0-9]+)s$", var.root_secret.destroy_after)[0] >= 86400, false)
    error_message = "Use seconds for destroy_after, at least a day: 86400s."
  }
  validation {
    condition     = var.root_secret.first_rotation == null || can(timeadd(var.root_secret.first_rotation, "0s"))
    error_message = "Use RFC 3339 for first_rotation, like 2030-01-01T00:00:00Z."
  }
  validation {
    condition     = var.root_secret.kms_key == null || length(var.root_secret.locations) == 0
    error_message = "kms_key is for automatic replication: leave locations empty."
  }
  validation {
    condition     = var.root_secret.kms_key == null || can(regex("^projects/[^/]+/locations/global/keyRings/[^/]+/cryptoKeys/[^/]+$", var.root_secret.kms_key))
    error_message = "Use a kms_key in global, as automatic replication asks for: projects/P/locations/global/keyRings/R/cryptoKeys/K."
  }
}

variable "firewall" {
  type = object({
    pod_ranges = list(string)
    networks = optional(map(object({
      project              = string
      network              = string
      control_plane_ranges = optional(list(string), [])
      node_tags            = optional(list(string), [])
    })), {})
    project              = optional(string)
    network              = optional(string)
    control_plane_ranges = optional(list(string))
    node_tags            = optional(list(string))
  })
  description = "Rules in the VPCs of the members, each under a name of your own: pods reach pods of other members, and API servers reach istiod's webhooks (15017). pod_ranges are those of all members, ranges of single node pools included. Not set: no rules are made, and pods of two clusters reach each other only where other rules let them."
  default     = null
  validation {
    condition     = alltrue([for name in ["project", "network", "control_plane_ranges", "node_tags"] : try(var.firewall[name], null) == null])
    error_message = "firewall.project, .network, .control_plane_ranges and .node_tags are gone: use firewall.networks = { this = { project = …, network = … } } with them inside. The name \"this\" keeps the rules that version 0.1 made."
  }
  validation {
    condition     = var.firewall == null || length(try(var.firewall.networks, {})) > 0
    error_message = "Name the members' networks in firewall.networks, like { main = { project = \"shop-net\", network = \"prod\" } }."
  }
  validation {
    condition     = alltrue([for name in keys(try(var.firewall.networks, {})) : can(regex("^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$", name))])
    error_message = "Use lower-case letters, digits and hyphens as names in firewall.networks, 22 at most: they become part of the rules' names."
  }
  validation {
    condition     = var.firewall == null || length(try(var.firewall.pod_ranges, [])) > 0
    error_message = "Name the members' pod ranges in firewall.pod_ranges."
  }
  validation {
    condition     = alltrue([for range in concat(try(var.firewall.pod_ranges, []), flatten([for each in values(try(var.firewall.networks, {})) : each.control_plane_ranges])) : can(cidrhost(range, 0))])
    error_message = "Use CIDR ranges, like 10.4.0.0/14."
  }
}

variable "image_mirror" {
  type = object({
    node_accounts = optional(list(string))
    location      = optional(string)
    credentials   = optional(object({ username = string, password_secret_version = string }))
  })
  description = "A remote repository of Artifact Registry that fetches Istio's images from Docker Hub and keeps them, for nodes without a way to the internet and against Docker Hub's limits. node_accounts: e-mail addresses of the accounts that the members' nodes run as; default the Compute Engine default account of the project, which nodes run as unless told otherwise. location: default the region. credentials: an account at Docker Hub; its password is a version in Secret Manager (projects/P/secrets/S/versions/V)."
  default     = null
  validation {
    condition     = try(length(var.image_mirror.node_accounts) > 0, true)
    error_message = "Name the accounts of the members' nodes in image_mirror.node_accounts: no other account may pull."
  }
  validation {
    condition     = try(var.image_mirror.node_accounts, null) == null ? true : alltrue([for account in var.image_mirror.node_accounts : can(regex("^[^@:]+@[^@:]+[.]gserviceaccount[.]com$", account))])
    error_message = "Use e-mail addresses of service accounts in image_mirror.node_accounts."
  }
  validation {
    condition     = try(var.image_mirror.location, null) == null || can(regex("^[a-z]+(-[a-z]+[0-9]+)?$", var.image_mirror.location))
    error_message = "Use a location of Artifact Registry as image_mirror.location, like europe-west1 or europe."
  }
  validation {
    condition     = try(var.image_mirror.credentials, null) == null || can(regex("^projects/[^/]+/secrets/[^/]+/versions/[^/]+$", var.image_mirror.credentials.password_secret_version))
    error_message = "Use projects/P/secrets/S/versions/V as image_mirror.credentials.password_secret_version."
  }
}

variable "istio_hub" {
  type        = string
  description = "Registry and path of Istio's images, without a slash at the end: MESHJOIN_ISTIO_HUB. Not set: that of the pinned Istio release. For a mirror of your own; image_mirror sets it itself."
  default     = null
  validation {
    condition     = var.istio_hub == null || var.image_mirror == null
    error_message = "Set istio_hub or image_mirror, and not both."
  }
  validation {
    condition     = var.istio_hub == null || can(regex("^(?:(?:localhost|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:[.][a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+)(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?:(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))(?:/[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*)+$", var.istio_hub))
    error_message = "Use a registry's host, its port if it has one, and a path, all in lower case, like docker.io/istio; no scheme, tag, digest or slash at the end."
  }
  validation {
    condition     = try(length(var.istio_hub), 0) <= 200
    error_message = "Use an istio_hub of 200 characters at most: the name of an image has 255."
  }
}

variable "audit_secret_access" {
  type        = bool
  description = "Turn on Data Access audit logs of Secret Manager in the project. This owns the project's audit configuration of that service. If false, and nothing else turns them on, the alert on reads of root keys never fires."
  default     = true
}

variable "notification_channels" {
  type        = list(string)
  description = "Monitoring notification channels (projects/P/notificationChannels/N) for alerts."
  default     = []
  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "Use projects/P/notificationChannels/N."
  }
}

variable "runbook_url" {
  type        = string
  description = "Address of your copy of docs/runbook.md; each alert links to a section of it. Empty: alerts name the section."
  default     = ""
  validation {
    condition     = can(regex("^(https://[^#]+)?$", var.runbook_url))
    error_message = "Use an https URL without a fragment, or nothing."
  }
}

variable "labels" {
  type        = map(string)
  description = "Labels of every resource that can have labels."
  default     = {}
  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][-_a-z0-9]{0,62}$", key)) && can(regex("^[-_a-z0-9]{0,63}$", value))])
    error_message = "Use lower-case letters, digits, _ and -."
  }
}
