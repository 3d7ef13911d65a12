locals {
  charts = [
    { title = "Full runs, by outcome", filter = local.counted["full-run"], group = ["metric.label.outcome"] },
    { title = "Findings that need a person", filter = local.counted["error-finding"], group = ["metric.label.reason"] },
    { title = "Pairs that are not synced", filter = local.counted["pair-not-synced"], group = ["metric.label.cluster_id"] },
    { title = "Past their renewal", filter = local.counted["renewal-overdue"], group = ["metric.label.reason"] },
    { title = "Joins that failed", filter = local.counted["join-failed"], group = ["metric.label.cluster"] },
    { title = "Rotations that wait", filter = local.counted["rotation-waits"], group = ["metric.label.stage"] },
    { title = "Ticks, by outcome", filter = local.counted["tick"], group = ["metric.label.outcome"] },
    { title = "Unexpected errors", filter = local.counted["unexpected-error"], group = ["metric.label.service"] },
    { title = "Root keys read by others than the signer", filter = local.counted["root-key-read"], group = ["metric.label.principal"] },
  ]
}

resource "google_monitoring_dashboard" "this" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = "Meshjoin ${var.mesh_id}"
    # In the form that Monitoring returns, or each plan would change it: 64-bit numbers are texts, and a
    # position of 0 is left out.
    gridLayout = {
      columns = "2"
      widgets = [for chart in local.charts : {
        title = chart.title
        xyChart = {
          dataSets = [{
            plotType = "STACKED_BAR"
            timeSeriesQuery = {
              timeSeriesFilter = {
                filter = chart.filter
                aggregation = {
                  alignmentPeriod    = "600s"
                  perSeriesAligner   = "ALIGN_DELTA"
                  crossSeriesReducer = "REDUCE_SUM"
                  groupByFields      = chart.group
                }
              }
            }
          }]
        }
      }]
    }
  })
}
