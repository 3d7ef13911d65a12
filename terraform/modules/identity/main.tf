locals {
  accounts = {
    reconciler = "Meshjoin: joins clusters, and renews tokens and CAs"
    rotator    = "Meshjoin: the same, and changes the root secret"
    signer     = "Meshjoin: alone reads root keys; reaches no cluster"
    push       = "Meshjoin: delivers messages to the event functions"
    scheduler  = "Meshjoin: calls sync-mesh by the clock"
    builder    = "Meshjoin: builds the functions' containers"
  }

  role_prefix = replace(var.name, "-", "_")

  grants = {
    for pair in setproduct(var.member_projects, keys(local.cluster_permissions)) :
    "${pair[0]}/${pair[1]}" => { project = pair[0], account = pair[1] }
  }

  # The roles that Google's documentation requires of a builder's account.
  builder_roles = toset(["roles/logging.logWriter", "roles/artifactregistry.writer"])
}

resource "google_service_account" "this" {
  for_each = local.accounts

  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = each.value
}

resource "google_project_iam_custom_role" "clusters" {
  for_each = local.grants

  project     = each.value.project
  role_id     = "${local.role_prefix}_${each.value.account}"
  title       = "Meshjoin ${each.value.account}"
  description = "The permissions of Meshjoin's ${each.value.account} on the clusters of this project."
  permissions = local.cluster_permissions[each.value.account]
}

resource "google_project_iam_member" "clusters" {
  for_each = local.grants

  project = each.value.project
  role    = google_project_iam_custom_role.clusters[each.key].name
  member  = google_service_account.this[each.value.account].member
}

resource "google_project_iam_custom_role" "root" {
  for_each = local.root_permissions

  project     = var.project
  role_id     = "${local.role_prefix}_root_${each.key}"
  title       = "Meshjoin ${each.key}, root secret"
  description = "The permissions of Meshjoin's ${each.key} on the root secret; granted on that secret alone."
  permissions = each.value
}

resource "google_project_iam_member" "builder" {
  for_each = local.builder_roles

  project = var.project
  role    = each.key
  member  = google_service_account.this["builder"].member
}

resource "google_project_iam_member" "builder_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.this["builder"].member

  condition {
    title       = "sources of functions"
    description = "The buckets that Cloud Functions makes for what it builds."
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-\")"
  }
}
