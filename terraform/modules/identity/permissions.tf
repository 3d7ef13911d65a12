# The permissions of each function. The sandbox enforces these lists, and the integration tests fail on a
# missing or an unused one (npm run permissions). IAM cannot name a cluster, a namespace or an object, so a
# grant is for a whole project.
locals {
  # To IAM a watch is a list; a server-side apply is an update, and for a new object a create.
  member_permissions = [
    "container.clusters.connect",
    "container.clusters.get",
    "container.clusters.list",
    "container.clusterRoleBindings.create",
    "container.clusterRoleBindings.get",
    "container.clusterRoleBindings.update",
    # To create Istio's cluster roles, which have more permissions than Meshjoin.
    "container.clusterRoles.bind",
    "container.clusterRoles.create",
    "container.clusterRoles.escalate",
    "container.clusterRoles.get",
    "container.clusterRoles.update",
    "container.configMaps.create",
    "container.configMaps.get",
    "container.configMaps.list",
    "container.configMaps.update",
    "container.customResourceDefinitions.create",
    "container.customResourceDefinitions.list",
    "container.customResourceDefinitions.update",
    "container.deployments.create",
    "container.deployments.get",
    "container.deployments.list",
    "container.deployments.update",
    "container.endpointSlices.list",
    "container.horizontalPodAutoscalers.create",
    "container.horizontalPodAutoscalers.get",
    "container.horizontalPodAutoscalers.update",
    "container.mutatingWebhookConfigurations.create",
    "container.mutatingWebhookConfigurations.get",
    "container.mutatingWebhookConfigurations.update",
    "container.namespaces.create",
    "container.namespaces.get",
    "container.namespaces.update",
    "container.podDisruptionBudgets.create",
    "container.podDisruptionBudgets.get",
    "container.podDisruptionBudgets.update",
    "container.pods.list",
    "container.pods.portForward",
    "container.roleBindings.create",
    "container.roleBindings.get",
    "container.roleBindings.update",
    "container.roles.bind",
    "container.roles.create",
    "container.roles.escalate",
    "container.roles.get",
    "container.roles.update",
    "container.secrets.create",
    "container.secrets.delete",
    "container.secrets.get",
    "container.secrets.list",
    "container.secrets.update",
    "container.serviceAccounts.create",
    "container.serviceAccounts.createToken",
    "container.serviceAccounts.get",
    "container.serviceAccounts.update",
    "container.services.create",
    "container.services.get",
    "container.services.list",
    "container.services.update",
    # Which traffic rules a member has. IAM has one permission for all custom resources; what Meshjoin writes
    # of them, a role inside the cluster grants.
    "container.thirdPartyObjects.list",
    "container.tokenReviews.create",
    "container.validatingWebhookConfigurations.create",
    "container.validatingWebhookConfigurations.get",
    "container.validatingWebhookConfigurations.update",
  ]

  # Only the reconciler makes deep runs. They compare every object, and delete those of an earlier manifest.
  deep_permissions = [
    "container.clusterRoleBindings.list",
    "container.clusterRoles.list",
    "container.configMaps.delete",
    "container.events.list",
    "container.horizontalPodAutoscalers.delete",
    "container.horizontalPodAutoscalers.list",
    "container.mutatingWebhookConfigurations.list",
    "container.networkPolicies.delete",
    "container.networkPolicies.list",
    "container.podDisruptionBudgets.delete",
    "container.podDisruptionBudgets.list",
    "container.resourceQuotas.delete",
    "container.resourceQuotas.list",
    "container.roleBindings.delete",
    "container.roleBindings.list",
    "container.roles.delete",
    "container.roles.list",
    "container.serviceAccounts.delete",
    "container.serviceAccounts.list",
    "container.services.delete",
    "container.validatingWebhookConfigurations.list",
  ]

  # It alone drains a member by itself, and not while GKE operates on the cluster.
  drain_permissions = [
    "container.operations.list",
  ]

  # On each member project.
  cluster_permissions = {
    reconciler = concat(local.member_permissions, local.deep_permissions, local.drain_permissions)
    rotator    = local.member_permissions
    signer = [
      "container.clusters.list",
    ]
  }

  # On the root secret alone.
  root_permissions = {
    reconciler = [
      "secretmanager.secrets.get",
      "secretmanager.versions.get",
    ]
    rotator = [
      "secretmanager.secrets.get",
      "secretmanager.secrets.update",
      "secretmanager.versions.add",
      "secretmanager.versions.disable",
      "secretmanager.versions.get",
      "secretmanager.versions.list",
    ]
    signer = [
      "secretmanager.secrets.get",
      "secretmanager.versions.access",
    ]
  }
}
