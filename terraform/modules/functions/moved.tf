# From 0.1: each function has its invokers beside it.
moved {
  from = google_cloud_run_v2_service_iam_member.invoker["sign-intermediate reconciler"]
  to   = module.signer.google_cloud_run_v2_service_iam_member.invoker["reconciler"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.invoker["sign-intermediate rotator"]
  to   = module.signer.google_cloud_run_v2_service_iam_member.invoker["rotator"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.invoker["on-cluster-event push"]
  to   = module.function["on-cluster-event"].google_cloud_run_v2_service_iam_member.invoker["push"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.invoker["on-rotation-request push"]
  to   = module.function["on-rotation-request"].google_cloud_run_v2_service_iam_member.invoker["push"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.invoker["sync-mesh scheduler"]
  to   = module.function["sync-mesh"].google_cloud_run_v2_service_iam_member.invoker["scheduler"]
}

# Those of var.sync_invokers, whose names are not known here: the grant is made at its new place, and taking it away at the old one would
# undo that.
removed {
  from = google_cloud_run_v2_service_iam_member.invoker
  lifecycle {
    destroy = false
  }
}
