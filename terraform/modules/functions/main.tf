locals {
  # Seconds: event functions end themselves after 500 and the signer after 45 (docs/design.md).
  event = { timeout = 540, concurrency = 1, ingress = var.ingress.events }

  functions = {
    on-cluster-event    = merge(local.event, { account = "reconciler", description = "Joins a cluster that was created or labelled, and takes one out that is gone" })
    on-rotation-request = merge(local.event, { account = "rotator", description = "Rotates intermediate CAs and the root" })
    sync-mesh = {
      account     = "reconciler"
      description = "Shows the mesh, and reconciles it"
      timeout     = 540
      concurrency = 4
      ingress     = var.ingress.sync
    }
  }

  signer = {
    account     = "signer"
    description = "Signs members' intermediate CAs; alone reads root keys"
    timeout     = 60
    concurrency = 8
    ingress     = var.ingress.signer
  }

  examiner = {
    account     = "rotator"
    description = "Reports the rotator's permissions, to the reconciler alone"
    timeout     = 60
    concurrency = 4
    ingress     = var.ingress.signer
  }

  bucket = var.source_object == null ? google_storage_bucket.source[0].name : var.source_object.bucket
  object = var.source_object == null ? google_storage_bucket_object.source[0].name : var.source_object.name
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:its content comes from the repository, and the audit log names its readers
  #checkov:skip=CKV_GCP_78:objects are named by their content and never change
  count = var.source_object == null ? 1 : 0

  project                     = var.project
  name                        = "${replace(var.project, "/[:.]/", "-")}-${var.name}-source"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
}

resource "google_storage_bucket_object" "source" {
  count = var.source_object == null ? 1 : 0

  bucket = google_storage_bucket.source[0].name
  # Named by its content: another zip is another object, and that deploys.
  name   = "meshjoin-${filesha256(var.source_zip)}.zip"
  source = var.source_zip
}

# The builder reads the zip.
resource "google_storage_bucket_iam_member" "builder" {
  count = try(var.source_object.grant, true) ? 1 : 0

  bucket = local.bucket
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${var.builder.email}"
}

# Without its roles the builder fails, and Terraform replaces a failed function. Waits only for a new account
# or bucket.
resource "time_sleep" "builder" {
  create_duration = "90s"
  triggers        = { account = var.builder.unique_id, bucket = local.bucket }

  depends_on = [google_storage_bucket_iam_member.builder]
}

module "signer" {
  source = "./function"

  project         = var.project
  region          = var.region
  name            = "sign-intermediate"
  description     = local.signer.description
  labels          = var.labels
  source_object   = { bucket = local.bucket, name = local.object }
  service_account = var.accounts[local.signer.account]
  builder         = var.builder.name
  environment     = var.environment
  timeout         = local.signer.timeout
  concurrency     = local.signer.concurrency
  ingress         = local.signer.ingress
  max_instances   = var.max_instances
  invokers        = lookup(var.invokers, "sign-intermediate", {})

  depends_on = [time_sleep.builder]
}

module "examiner" {
  source = "./function"

  project         = var.project
  region          = var.region
  name            = "examine-rotator"
  description     = local.examiner.description
  labels          = var.labels
  source_object   = { bucket = local.bucket, name = local.object }
  service_account = var.accounts[local.examiner.account]
  builder         = var.builder.name
  environment     = merge(var.environment, { MESHJOIN_SIGNER_URL = module.signer.uri })
  timeout         = local.examiner.timeout
  concurrency     = local.examiner.concurrency
  ingress         = local.examiner.ingress
  vpc_egress      = var.vpc_egress
  max_instances   = var.max_instances
  invokers        = lookup(var.invokers, "examine-rotator", {})

  depends_on = [time_sleep.builder]
}

module "function" {
  source   = "./function"
  for_each = local.functions

  project         = var.project
  region          = var.region
  name            = each.key
  description     = each.value.description
  labels          = var.labels
  source_object   = { bucket = local.bucket, name = local.object }
  service_account = var.accounts[each.value.account]
  builder         = var.builder.name
  environment = merge(var.environment, {
    MESHJOIN_EXAMINE_ROTATOR_URL = module.examiner.uri
    MESHJOIN_SIGNER_URL          = module.signer.uri
  })
  timeout       = each.value.timeout
  concurrency   = each.value.concurrency
  ingress       = each.value.ingress
  vpc_egress    = var.vpc_egress
  max_instances = var.max_instances
  invokers      = lookup(var.invokers, each.key, {})

  depends_on = [time_sleep.builder]
}
