locals {
  # The PromQL name of a log-based metric: https://cloud.google.com/monitoring/promql/promql-mapping
  series = {
    for key, metric in google_logging_metric.this :
    key => "logging_googleapis_com:user_${replace(metric.name, "/[^a-zA-Z0-9_]/", "_")}{monitored_resource=\"${key == "root-key-read" ? "audited_resource" : "cloud_run_revision"}\"}"
  }
  counted = { for key, metric in google_logging_metric.this : key => "metric.type=\"logging.googleapis.com/user/${metric.name}\" AND resource.type=\"${key == "root-key-read" ? "audited_resource" : "cloud_run_revision"}\"" }
  run     = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=one_of(\"sync-mesh\",\"sign-intermediate\")"
  backlog = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id="

  # The title of an alert is the title of its section in docs/runbook.md. `window` is the time that is counted
  # over, `lasting` the time that the condition must hold, both in seconds. To see two runs in succession, ten
  # minutes apart, `lasting` is longer than `window`. `metric` is the log-based metric that is counted or
  # missed.
  alerts = {
    join = {
      title    = "A join failed or hangs"
      severity = "ERROR"
      means    = "A cluster was created, labelled or deleted, and the mesh has not followed."
      conditions = [
        { name = "an event was given up", metric = "join-failed", window = 600, lasting = 0 },
        {
          name    = "an event is older than 15 minutes"
          filter  = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.backlog}\"${var.subscriptions["cluster-events"]}\""
          window  = 60
          lasting = 0
          above   = 900
          aligner = "ALIGN_MAX"
        },
      ]
    }
    lost = {
      title    = "A member has lost its label"
      severity = "CRITICAL"
      means    = "The other members remove their credentials of it when its grace is over, and requests to it fail then."
      conditions = [
        { name = "a member is lost", metric = "member-lost", window = 900, lasting = 0 },
      ]
    }
    pair = {
      title    = "A pair is not synced"
      severity = "ERROR"
      means    = "An istiod does not see the endpoints of another member: requests between the two fail."
      conditions = [
        { name = "found by run after run", metric = "pair-not-synced", window = 900, lasting = 1200 },
      ]
    }
    requests = {
      title    = "Requests do not pass"
      severity = "CRITICAL"
      means    = "istiod shows a member as synced, and no request of another member's probe gets through to it."
      conditions = [
        { name = "a probe gets no request through", metric = "requests-fail", window = 900, lasting = 0 },
      ]
    }
    control-plane = {
      title    = "A control plane is away"
      severity = "CRITICAL"
      means    = "Workloads get no certificates, or the other members see no change of a member; requests go on for now."
      conditions = [
        { name = "an istiod answers nobody", metric = "certificates-end", window = 900, lasting = 0 },
        # An upgrade of a zonal control plane takes an API server away for some minutes.
        { name = "an API server is silent in run after run", metric = "api-server-away", window = 900, lasting = 1200 },
      ]
    }
    drained = {
      title    = "Meshjoin has drained a member"
      severity = "ERROR"
      means    = "A member is dead: its peers send it no requests any more, until it answers again or a person undrains it."
      conditions = [
        { name = "a member is drained by Meshjoin", metric = "drained-automatically", window = 900, lasting = 0 },
      ]
    }
    renewal = {
      title    = "A certificate or token is past its renewal time"
      severity = "CRITICAL"
      means    = "A certificate or token that is not renewed ends, and requests fail."
      conditions = [
        { name = "something is overdue", metric = "renewal-overdue", window = 900, lasting = 0 },
      ]
    }
    rotation = {
      title    = "A rotation is stuck"
      severity = "WARNING"
      means    = "Members hold a rotation up, or nothing looks at rotations; a rotation that waits breaks nothing."
      conditions = [
        { name = "held up for three hours", metric = "rotation-waits", window = 1200, lasting = 10800 },
        { name = "no tick came to its end", metric = "tick", window = 600, lasting = 3000, absent = true },
      ]
    }
    dead-letter = {
      title    = "Dead letters are waiting"
      severity = "ERROR"
      means    = "Pub/Sub delivered a message many times, and no function finished it. The next full run looks at its cluster; an order to rotate is lost."
      conditions = [
        {
          name    = "the subscription of dead letters is not empty"
          filter  = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.backlog}\"${var.subscriptions["dead-letter"]}\""
          window  = 60
          lasting = 0
          above   = 0
          aligner = "ALIGN_MAX"
        },
      ]
    }
    finding = {
      title    = "A finding needs a person"
      severity = "ERROR"
      means    = "Meshjoin has found a fault that only a person can mend; its log line has the cure."
      conditions = [
        { name = "a finding of severity error", metric = "error-finding", window = 900, lasting = 0 },
      ]
    }
    function = {
      title    = "A function fails"
      severity = "ERROR"
      means    = "Requests or messages fail with an unexpected error, or with one that no redelivery mends."
      conditions = [
        {
          name        = "more than one request of ten is answered with 5xx, run after run"
          filter      = "${local.run} AND metric.labels.response_code_class=\"5xx\""
          denominator = local.run
          window      = 900
          lasting     = 1200
          above       = 0.1
          aligner     = "ALIGN_DELTA"
        },
        { name = "an error that is no finding", metric = "unexpected-error", window = 900, lasting = 0 },
      ]
    }
    full-run = {
      title    = "No full run for half an hour"
      severity = "CRITICAL"
      means    = "No run renews tokens and certificates, and no run finds what an event has missed."
      conditions = [
        { name = "no run came to its end", metric = "full-run", window = 600, lasting = 1200, absent = true },
      ]
    }
    root-key = {
      title    = "Another identity has read a root key"
      severity = "CRITICAL"
      means    = "The holder of a root key can make a certificate for any workload of the mesh."
      conditions = [
        { name = "a read that is not the signer's", metric = "root-key-read", window = 300, lasting = 0 },
      ]
    }
  }

  # One policy for each kind of conditions: Monitoring does not document that a policy may mix them.
  policies = merge([
    for key, alert in local.alerts : {
      for part, conditions in {
        counted  = [for condition in alert.conditions : condition if can(condition.metric)]
        measured = [for condition in alert.conditions : condition if !can(condition.metric)]
      } :
      part == "measured" && anytrue([for condition in alert.conditions : can(condition.metric)]) ? "${key}-measured" : key =>
      merge(alert, { part = part, conditions = conditions })
      if length(conditions) > 0
    }
  ]...)

  sections = { for key, policy in local.policies : key => "${coalesce(var.runbook_url, "docs/runbook.md")}#${replace(lower(policy.title), " ", "-")}" }

  # A metric without any entry is absent, too; Monitoring may also write a zero. increase() needs two points,
  # and the first entry with a label's value may begin a series with one, so a new series counts as well.
  queries = {
    for key, policy in local.policies : key => [
      for condition in policy.conditions : format(
        try(condition.absent, false) ? "absent_over_time(%[1]s[%[2]ds]) or sum(increase(%[1]s[%[2]ds])) == 0" : "sum(increase(%[1]s[%[2]ds])) > 0 or sum(%[1]s unless %[1]s offset %[2]ds) > 0",
        local.series[condition.metric],
        condition.window,
      ) if can(condition.metric)
    ]
  }
}

# Monitoring refuses a threshold on a metric that it does not know, and knows a log-based one only minutes
# after its first entry. It accepts PromQL for any metric.
resource "google_monitoring_alert_policy" "this" {
  for_each = local.policies

  project               = var.project
  display_name          = "Meshjoin ${var.mesh_id}: ${each.value.title}${endswith(each.key, "-measured") ? " (by Google's metrics)" : ""}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  dynamic "conditions" {
    for_each = each.value.conditions
    content {
      display_name = conditions.value.name

      dynamic "condition_threshold" {
        for_each = each.value.part == "measured" ? [conditions.value] : []
        content {
          filter             = condition_threshold.value.filter
          comparison         = "COMPARISON_GT"
          threshold_value    = condition_threshold.value.above
          duration           = "${condition_threshold.value.lasting}s"
          denominator_filter = try(condition_threshold.value.denominator, null)

          aggregations {
            alignment_period     = "${condition_threshold.value.window}s"
            per_series_aligner   = condition_threshold.value.aligner
            cross_series_reducer = condition_threshold.value.aligner == "ALIGN_MAX" ? "REDUCE_MAX" : "REDUCE_SUM"
          }

          dynamic "denominator_aggregations" {
            for_each = can(condition_threshold.value.denominator) ? [condition_threshold.value] : []
            content {
              alignment_period     = "${denominator_aggregations.value.window}s"
              per_series_aligner   = denominator_aggregations.value.aligner
              cross_series_reducer = "REDUCE_SUM"
            }
          }
        }
      }

      dynamic "condition_prometheus_query_language" {
        for_each = each.value.part == "counted" ? [conditions.value] : []
        content {
          query                     = local.queries[each.key][conditions.key]
          duration                  = "${condition_prometheus_query_language.value.lasting}s"
          evaluation_interval       = "60s"
          disable_metric_validation = true
        }
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.means} Instructions: ${local.sections[each.key]}"

    dynamic "links" {
      for_each = var.runbook_url == "" ? [] : [local.sections[each.key]]
      content {
        display_name = "Runbook: ${each.value.title}"
        url          = links.value
      }
    }
  }

  alert_strategy {
    auto_close = "3600s"
  }
}
