# What each function does, permission by permission. The sandbox enforces these lists, and the integration tests find what is
# missing in them and what is to spare (npm run permissions). IAM cannot name a cluster, a namespace or an object: a grant is for all
# of a project.
locals {
  # A watch is a list to IAM, and a server-side apply an update, and a create where the object is new.
  member_permissions = [
    "container.clusters.connect",
    "container.clusters.get",
    "container.clusters.list",
    "container.clusterRoleBindings.create",
    "container.clusterRoleBindings.get",
    "container.clusterRoleBindings.update",
    # Istio's own cluster roles hold more than Meshjoin does.
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
    "container.services.update",
    "container.tokenReviews.create",
    "container.validatingWebhookConfigurations.create",
    "container.validatingWebhookConfigurations.get",
    "container.validatingWebhookConfigurations.update",
  ]

  # A deep run compares every object, and deletes those of a manifest before that the present one has no more; only the reconciler
  # makes one.
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
    "container.services.list",
    "container.validatingWebhookConfigurations.list",
  ]

  # On each member project.
  cluster_permissions = {
    reconciler = concat(local.member_permissions, local.deep_permissions)
    rotator    = local.member_permissions
    signer = [
      "container.clusters.list",
    ]
  }

  # On the root secret alone.
  root_permissions = {
    reconciler = [
      "secretmanager.secrets.get",
    ]
    rotator = [
      "secretmanager.secrets.get",
      "secretmanager.secrets.update",
      "secretmanager.versions.add",
      "secretmanager.versions.disable",
      "secretmanager.versions.list",
    ]
    signer = [
      "secretmanager.secrets.get",
      "secretmanager.versions.access",
    ]
  }
}
