locals {
  # Filters for the functions' log lines (shared/run-log.ts, functions/*): test/unit/terraform/metrics.test.ts
  # sends real lines through them.
  metrics = {
    join-failed = {
      description = "Events about a cluster that the function has given up."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND resource.labels.service_name="on-cluster-event"
        AND (jsonPayload.message="event given up" OR (jsonPayload.message="reconciled" AND jsonPayload.outcome="failed"))
      EOT
      labels      = { cluster = "EXTRACT(jsonPayload.cluster)" }
    }
    member-lost = {
      description = "Members that have lost their label, as each full run finds them."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND severity>=ERROR
        AND jsonPayload.finding.reason=("MemberLost" OR "MassLeave")
      EOT
      labels      = { reason = "EXTRACT(jsonPayload.finding.reason)", cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    pair-not-synced = {
      description = "Connections that istiod does not show as synced."
      filter      = <<-EOT
        resource.type="cloud_run_revision"
        AND (jsonPayload.finding.reason="PairNotSynced" OR jsonPayload.code="PairSyncing")
      EOT
      labels      = { cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    requests-fail = {
      description = "Readers whose probe gets no request through to a member that istiod shows as synced."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND jsonPayload.finding.reason="RequestsFail"
      EOT
      labels      = { cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    drained-automatically = {
      description = "Members that Meshjoin has drained by itself, as each full run finds them."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND jsonPayload.finding.reason="DrainedAutomatically"
      EOT
      labels      = { cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    certificates-end = {
      description = "Members whose istiod answers nobody, so that their certificates come to an end."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND jsonPayload.finding.reason="CertificatesEnd"
      EOT
      labels      = { cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    api-server-away = {
      description = "Members whose API server does not answer, as each full run finds them."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND resource.labels.service_name="sync-mesh"
        AND jsonPayload.finding.reason="ApiServerUnreachable"
      EOT
      labels      = { cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    renewal-overdue = {
      description = "Certificates and tokens that are past the time of their renewal."
      filter      = <<-EOT
        resource.type="cloud_run_revision"
        AND jsonPayload.finding.reason=("CertificateExpiring" OR "TokenExpiring" OR "RootExpiring" OR "RootRotationDue")
      EOT
      labels      = { reason = "EXTRACT(jsonPayload.finding.reason)", cluster_id = "EXTRACT(jsonPayload.finding.clusterId)" }
    }
    rotation-waits = {
      description = "Looks that found members holding a rotation up."
      filter      = <<-EOT
        resource.type="cloud_run_revision"
        AND (
          (resource.labels.service_name="on-rotation-request" AND jsonPayload.stage=~"." AND jsonPayload.waitingFor=~".")
          OR jsonPayload.finding.reason=("RotationHeld" OR "RotationStopped" OR "StageOverdue" OR "RootMissing" OR "RootNotDistributed")
        )
      EOT
      labels      = { reason = "EXTRACT(jsonPayload.finding.reason)", stage = "EXTRACT(jsonPayload.stage)" }
    }
    error-finding = {
      description = "Findings that a person must act on; one that is also an error is logged only as an error."
      filter      = <<-EOT
        resource.type="cloud_run_revision"
        AND (jsonPayload.finding.severity="error" OR (severity>=ERROR AND jsonPayload.message="step failed"))
      EOT
      labels      = { reason = "EXTRACT(jsonPayload.finding.reason)", code = "EXTRACT(jsonPayload.code)" }
    }
    unexpected-error = {
      description = "Requests and messages that failed for good, or with an unexpected error."
      filter      = <<-EOT
        resource.type="cloud_run_revision"
        AND (
          jsonPayload.code="Internal"
          OR (severity>=ERROR AND jsonPayload.message=("message given up" OR "request failed"))
        )
      EOT
      labels      = { service = "EXTRACT(resource.labels.service_name)", code = "EXTRACT(jsonPayload.code)" }
    }
    full-run = {
      description = "Completed runs over the whole mesh."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND resource.labels.service_name="sync-mesh"
        AND jsonPayload.message="reconciled" AND jsonPayload.scope="mesh"
      EOT
      labels      = { outcome = "EXTRACT(jsonPayload.outcome)" }
    }
    tick = {
      description = "Completed ticks, with or without work."
      filter      = <<-EOT
        resource.type="cloud_run_revision" AND resource.labels.service_name="on-rotation-request"
        AND jsonPayload.message="reconciled" AND jsonPayload.request.kind="tick"
      EOT
      labels      = { outcome = "EXTRACT(jsonPayload.outcome)" }
    }
    root-key-read = {
      description = "Reads of a root key by another account than the signer."
      filter      = <<-EOT
        log_id("cloudaudit.googleapis.com/data_access")
        AND protoPayload.serviceName="secretmanager.googleapis.com"
        AND protoPayload.methodName=~"[.]AccessSecretVersion$"
        AND protoPayload.resourceName=~"/secrets/${var.mesh_id}-root-ca/"
        AND NOT protoPayload.authenticationInfo.principalEmail="${var.signer}"
      EOT
      labels      = { principal = "EXTRACT(protoPayload.authenticationInfo.principalEmail)" }
    }
  }
}

resource "google_logging_metric" "this" {
  for_each = local.metrics

  project     = var.project
  name        = "${var.name}/${each.key}"
  description = each.value.description
  # Logging strips a filter's line end, so with it each plan would change the filter.
  filter           = trimspace(each.value.filter)
  label_extractors = each.value.labels

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }
}
