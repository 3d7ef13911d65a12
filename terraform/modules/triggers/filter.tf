locals {
  # What functions/on-cluster-event/audit-entry.ts acts on, and nothing else: test/unit/terraform/sink-filter.test.ts holds the two
  # together. [.] and not a backslash, which the query language takes for itself. OR binds closer than AND there.
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
