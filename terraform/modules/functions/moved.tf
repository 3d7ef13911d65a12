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

# Names of var.sync_invokers are not known here. Terraform would make such a grant anew, and then undo it by
# the removal of the old one.
removed {
  from = google_cloud_run_v2_service_iam_member.invoker
  lifecycle {
    destroy = false
  }
}
