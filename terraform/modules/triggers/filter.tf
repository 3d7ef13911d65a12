locals {
  # The entries that functions/on-cluster-event/audit-entry.ts acts on:
  # test/unit/terraform/sink-filter.test.ts compares the two. [.] and not a backslash, because the query
  # language takes a backslash itself. OR binds closer than AND there.
  audit_filter = <<-EOT
    log_id("cloudaudit.googleapis.com/activity")
    AND protoPayload.serviceName="container.googleapis.com"
    AND NOT protoPayload.status.code>0
    AND (
      (protoPayload.methodName=~"^google[.]container[.]v1(beta1)?[.]ClusterManager[.](CreateCluster|DeleteCluster|SetLabels|UpdateCluster|StartIPRotation|CompleteIPRotation|SetMasterAuth)$" AND operation.last=true)
      OR (protoPayload.methodName=~"^google[.]container[.]v1(beta1)?[.]ClusterManager[.]DeleteCluster$" AND operation.id:*)
      OR (protoPayload.methodName=~"^google[.]container[.]v1(beta1)?[.]ClusterManager[.](SetLabels|UpdateCluster|StartIPRotation|CompleteIPRotation|SetMasterAuth)$" AND NOT operation.id:*)
    )
  EOT
}
