locals {
  member_projects = length(var.member_projects) > 0 ? var.member_projects : [var.project]
  labels          = merge({ app = "meshjoin", mesh = var.mesh_id }, var.labels)

  environment = merge(
    { for name, value in var.settings : "MESHJOIN_${name}" => value },
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
    "container.googleapis.com",
    "iam.googleapis.com",
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

module "identity" {
  source = "./modules/identity"

  project         = var.project
  name            = var.name
  member_projects = local.member_projects

  depends_on = [google_project_service.this]
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

  depends_on = [google_project_service.this]
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
    on-cluster-event    = { push = module.identity.members.push }
    on-rotation-request = { push = module.identity.members.push }
    sync-mesh = merge(
      { scheduler = module.identity.members.scheduler },
      { for member in var.sync_invokers : member => member },
    )
  }

  depends_on = [google_project_service.this]
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

  depends_on = [google_project_service.this]
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

  depends_on = [google_project_service.this]
}
