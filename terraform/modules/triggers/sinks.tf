locals {
  topic_destination = "pubsub.googleapis.com/${google_pubsub_topic.this["cluster-events"].id}"
  sink_projects     = var.event_source == "projects" ? toset(var.member_projects) : toset([])
  folder            = startswith(var.event_source, "folders/") ? 1 : 0
  organization      = startswith(var.event_source, "organizations/") ? 1 : 0

  sink_writers = merge(
    { for project, sink in google_logging_project_sink.events : project => sink.writer_identity },
    { for sink in google_logging_folder_sink.events : "folder" => sink.writer_identity },
    { for sink in google_logging_organization_sink.events : "organization" => sink.writer_identity },
  )
  sink_names = concat(tolist(local.sink_projects), local.folder == 1 ? ["folder"] : [], local.organization == 1 ? ["organization"] : [])
}

resource "google_logging_project_sink" "events" {
  for_each = local.sink_projects

  project                = each.key
  name                   = "${var.name}-cluster-events"
  description            = "Changes of GKE clusters, for Meshjoin."
  destination            = local.topic_destination
  filter                 = local.audit_filter
  unique_writer_identity = true
}

resource "google_logging_folder_sink" "events" {
  count = local.folder

  folder           = trimprefix(var.event_source, "folders/")
  name             = "${var.name}-cluster-events"
  description      = "Changes of GKE clusters, for Meshjoin."
  destination      = local.topic_destination
  filter           = local.audit_filter
  include_children = true
}

resource "google_logging_organization_sink" "events" {
  count = local.organization

  org_id           = trimprefix(var.event_source, "organizations/")
  name             = "${var.name}-cluster-events"
  description      = "Changes of GKE clusters, for Meshjoin."
  destination      = local.topic_destination
  filter           = local.audit_filter
  include_children = true
}

resource "google_pubsub_topic_iam_member" "sink" {
  for_each = toset(local.sink_names)

  project = var.project
  topic   = google_pubsub_topic.this["cluster-events"].name
  role    = "roles/pubsub.publisher"
  member  = local.sink_writers[each.key]
}
