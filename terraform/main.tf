locals {
  member_projects = length(var.member_projects) > 0 ? var.member_projects : [var.project]
  labels          = merge({ app = "meshjoin", mesh = var.mesh_id }, var.labels)

  istio_hub = try(module.image_mirror[0].istio_hub, var.istio_hub)

  environment = merge(
    { for name, value in var.settings : "MESHJOIN_${name}" => value },
    local.istio_hub == null ? {} : { MESHJOIN_ISTIO_HUB = local.istio_hub },
    {
      MESHJOIN_MESH_ID      = var.mesh_id
      MESHJOIN_PROJECTS     = join(",", local.member_projects)
      MESHJOIN_ROOT_PROJECT = var.project
    },
  )
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "this" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

# Meshjoin's roles and sinks are made in these projects, and their clusters are read.
resource "google_project_service" "members" {
  for_each = {
    for pair in setproduct(setsubtract(local.member_projects, [var.project]), ["container.googleapis.com", "iam.googleapis.com", "logging.googleapis.com"]) :
    "${pair[0]}/${pair[1]}" => { project = pair[0], service = pair[1] }
  }
  project            = each.value.project
  service            = each.value.service
  disable_on_destroy = false
}

# A new API refuses calls for a while. This waits only if one was just enabled.
resource "time_sleep" "services" {
  create_duration = "60s"
  triggers = merge(
    { for name, service in google_project_service.this : name => service.id },
    { for name, service in google_project_service.members : name => service.id },
  )
}

module "identity" {
  source = "./modules/identity"

  project         = var.project
  name            = var.name
  member_projects = local.member_projects

  depends_on = [time_sleep.services]
}

module "pki" {
  source = "./modules/pki"

  project             = var.project
  project_number      = data.google_project.this.number
  mesh_id             = var.mesh_id
  labels              = local.labels
  root_secret         = var.root_secret
  rotation_topic      = module.triggers.rotation_topic
  accounts            = module.identity.members
  root_roles          = module.identity.root_roles
  audit_secret_access = var.audit_secret_access

  depends_on = [time_sleep.services]
}

module "functions" {
  source = "./modules/functions"

  project       = var.project
  region        = var.region
  name          = var.name
  labels        = local.labels
  environment   = local.environment
  source_zip    = var.source_zip
  source_object = var.source_object
  accounts      = module.identity.emails
  builder       = module.identity.builder
  ingress       = var.ingress
  vpc_egress    = var.vpc_egress
  max_instances = var.max_instances

  invokers = {
    sign-intermediate = {
      reconciler = module.identity.members.reconciler
      rotator    = module.identity.members.rotator
    }
    examine-rotator     = { reconciler = module.identity.members.reconciler }
    on-cluster-event    = { push = module.identity.members.push }
    on-rotation-request = { push = module.identity.members.push }
    sync-mesh = merge(
      { scheduler = module.identity.members.scheduler },
      { for member in var.sync_invokers : member => member },
    )
  }

  depends_on = [time_sleep.services]
}

module "image_mirror" {
  source = "./modules/image-mirror"
  count  = var.image_mirror == null ? 0 : 1

  project        = var.project
  project_number = data.google_project.this.number
  location       = coalesce(var.image_mirror.location, var.region)
  name           = var.name
  labels         = local.labels
  node_accounts  = var.image_mirror.node_accounts == null ? ["${data.google_project.this.number}-compute@developer.gserviceaccount.com"] : var.image_mirror.node_accounts
  credentials    = var.image_mirror.credentials

  depends_on = [time_sleep.services]
}

module "triggers" {
  source = "./modules/triggers"

  project         = var.project
  project_number  = data.google_project.this.number
  region          = var.region
  name            = var.name
  labels          = local.labels
  member_projects = local.member_projects
  event_source    = var.event_source
  functions       = module.functions.urls
  accounts        = module.identity.emails

  depends_on = [time_sleep.services]
}

module "observability" {
  source = "./modules/observability"

  project               = var.project
  name                  = var.name
  mesh_id               = var.mesh_id
  labels                = local.labels
  signer                = module.identity.emails.signer
  subscriptions         = module.triggers.subscriptions
  notification_channels = var.notification_channels
  runbook_url           = var.runbook_url

  depends_on = [time_sleep.services]
}
