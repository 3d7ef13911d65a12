/** The permissions that a type of Terraform resource needs of the account that applies. */
export interface TerraformNeed {
  readonly why: string;
  /** Empty if it needs none on a project. */
  readonly permissions: readonly string[];
  /** The roles that have these permissions together; docs/deploy.md names them. */
  readonly roles: readonly string[];
  /** `each`: in Meshjoin's project and in each member project; `members`: in member projects alone. */
  readonly where: "meshjoin" | "members" | "each";
  /** The input, or the resource of the examples, that adds it; undefined if every deployment has it. */
  readonly option?: string;
}

const crud = (type: string) => [`${type}.create`, `${type}.get`];
const policy = (type: string) => [`${type}.getIamPolicy`, `${type}.setIamPolicy`];

/**
 * By type of resource or data source in terraform/.
 * https://cloud.google.com/iam/docs/permissions-reference
 */
export const TERRAFORM_NEEDS: Readonly<Record<string, TerraformNeed>> = {
  google_artifact_registry_repository: {
    why: "to mirror Istio's images",
    permissions: crud("artifactregistry.repositories"),
    roles: ["roles/artifactregistry.admin"],
    where: "meshjoin",
    option: "image_mirror",
  },
  google_artifact_registry_repository_iam_member: {
    why: "to let nodes pull from the mirror",
    permissions: policy("artifactregistry.repositories"),
    roles: ["roles/artifactregistry.admin"],
    where: "meshjoin",
    option: "image_mirror",
  },
  google_cloud_run_v2_service_iam_member: {
    why: "to say who invokes the functions",
    permissions: policy("run.services"),
    roles: ["roles/run.admin"],
    where: "meshjoin",
  },
  google_cloud_scheduler_job: {
    why: "to make the daily and the frequent sync, and the ticks of the rotation",
    permissions: crud("cloudscheduler.jobs"),
    roles: ["roles/cloudscheduler.admin"],
    where: "meshjoin",
  },
  google_cloudfunctions2_function: {
    why: "to deploy the functions, each as an account of its own",
    permissions: [
      ...crud("cloudfunctions.functions"),
      "cloudfunctions.operations.get",
      "iam.serviceAccounts.actAs",
    ],
    roles: ["roles/cloudfunctions.developer", "roles/iam.serviceAccountUser"],
    where: "meshjoin",
  },
  google_compute_backend_service: {
    why: "to send users to the ingress of each member",
    permissions: [
      ...crud("compute.backendServices"),
      "compute.backendServices.use",
      "compute.healthChecks.useReadOnly",
      "compute.networkEndpointGroups.use",
    ],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_firewall: {
    why: "to let pods of one cluster reach those of another",
    permissions: [...crud("compute.firewalls"), "compute.networks.updatePolicy"],
    roles: ["roles/compute.securityAdmin"],
    where: "meshjoin",
    option: "firewall",
  },
  google_compute_global_address: {
    why: "to give all ingresses one address",
    permissions: [...crud("compute.globalAddresses"), "compute.globalAddresses.use"],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_global_forwarding_rule: {
    why: "to lead the one address to the load balancer",
    permissions: [...crud("compute.globalForwardingRules"), "compute.targetHttpsProxies.use"],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_health_check: {
    why: "to leave out a member whose ingress is dead",
    permissions: crud("compute.healthChecks"),
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_managed_ssl_certificate: {
    why: "to have a certificate for the one address",
    permissions: crud("compute.sslCertificates"),
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_network: {
    why: "to make the networks of clusters",
    permissions: crud("compute.networks"),
    roles: ["roles/compute.networkAdmin"],
    where: "members",
    option: "networks of your own making",
  },
  google_compute_network_endpoint_group: {
    why: "to find the pods of each ingress",
    permissions: ["compute.networkEndpointGroups.get"],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_network_peering: {
    why: "to let networks reach each other",
    permissions: [
      "compute.networks.addPeering",
      "compute.networks.removePeering",
      "compute.networks.updatePeering",
    ],
    roles: ["roles/compute.networkAdmin"],
    where: "members",
    option: "networks of your own making",
  },
  google_compute_ssl_policy: {
    why: "to refuse old versions of TLS",
    permissions: [...crud("compute.sslPolicies"), "compute.sslPolicies.use"],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_subnetwork: {
    why: "to give the functions a way into the VPC",
    permissions: crud("compute.subnetworks"),
    roles: ["roles/compute.networkAdmin"],
    where: "meshjoin",
    option: "a subnetwork of your own making",
  },
  google_compute_target_https_proxy: {
    why: "to end TLS of users at the load balancer",
    permissions: [
      ...crud("compute.targetHttpsProxies"),
      "compute.sslCertificates.get",
      "compute.urlMaps.use",
    ],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_compute_url_map: {
    why: "to send all hosts to the ingresses",
    permissions: [...crud("compute.urlMaps"), "compute.backendServices.use"],
    roles: ["roles/compute.loadBalancerAdmin"],
    where: "members",
    option: "one address in front of the ingresses",
  },
  google_eventarc_trigger: {
    why: "to bring events of clusters without a sink",
    permissions: crud("eventarc.triggers"),
    roles: ["roles/eventarc.admin"],
    where: "meshjoin",
    option: "event_source none",
  },
  google_logging_folder_sink: {
    why: "to bring events of a folder's clusters; the folder's policy decides, not a project's",
    permissions: [],
    roles: ["roles/logging.configWriter"],
    where: "meshjoin",
    option: "event_source folders/NUMBER",
  },
  google_logging_metric: {
    why: "to count what the functions log",
    permissions: crud("logging.logMetrics"),
    roles: ["roles/logging.configWriter"],
    where: "meshjoin",
  },
  google_logging_organization_sink: {
    why: "to bring events of an organization's clusters; its own policy decides, not a project's",
    permissions: [],
    roles: ["roles/logging.configWriter"],
    where: "meshjoin",
    option: "event_source organizations/NUMBER",
  },
  google_logging_project_sink: {
    why: "to bring events of clusters to the functions",
    permissions: crud("logging.sinks"),
    roles: ["roles/logging.configWriter"],
    where: "members",
  },
  google_monitoring_alert_policy: {
    why: "to make the alerts",
    permissions: crud("monitoring.alertPolicies"),
    roles: ["roles/monitoring.editor"],
    where: "meshjoin",
  },
  google_monitoring_dashboard: {
    why: "to make the dashboard",
    permissions: crud("monitoring.dashboards"),
    roles: ["roles/monitoring.editor"],
    where: "meshjoin",
  },
  google_monitoring_notification_channel: {
    why: "to say where alerts go",
    permissions: crud("monitoring.notificationChannels"),
    roles: ["roles/monitoring.editor"],
    where: "meshjoin",
    option: "notification_channels",
  },
  google_project: {
    why: "to read the project's number",
    permissions: ["resourcemanager.projects.get"],
    roles: ["roles/resourcemanager.projectIamAdmin"],
    where: "meshjoin",
  },
  google_project_iam_audit_config: {
    why: "to have reads of the root key logged",
    permissions: policy("resourcemanager.projects"),
    roles: ["roles/resourcemanager.projectIamAdmin"],
    where: "meshjoin",
  },
  google_project_iam_custom_role: {
    why: "to make the functions' roles",
    permissions: crud("iam.roles"),
    roles: ["roles/iam.roleAdmin"],
    where: "each",
  },
  google_project_iam_member: {
    why: "to grant the functions their roles",
    permissions: policy("resourcemanager.projects"),
    roles: ["roles/resourcemanager.projectIamAdmin"],
    where: "each",
  },
  google_project_service: {
    why: "to enable the APIs",
    permissions: ["serviceusage.services.enable", "serviceusage.services.get", "serviceusage.services.list"],
    roles: ["roles/serviceusage.serviceUsageAdmin"],
    where: "each",
  },
  google_pubsub_subscription: {
    why: "to push events to the functions",
    permissions: [...crud("pubsub.subscriptions"), "pubsub.topics.attachSubscription"],
    roles: ["roles/pubsub.admin"],
    where: "meshjoin",
  },
  google_pubsub_subscription_iam_member: {
    why: "to let Pub/Sub keep undeliverable messages",
    permissions: policy("pubsub.subscriptions"),
    roles: ["roles/pubsub.admin"],
    where: "meshjoin",
  },
  google_pubsub_topic: {
    why: "to carry events to the functions",
    permissions: crud("pubsub.topics"),
    roles: ["roles/pubsub.admin"],
    where: "meshjoin",
  },
  google_pubsub_topic_iam_member: {
    why: "to let sinks and Secret Manager publish",
    permissions: policy("pubsub.topics"),
    roles: ["roles/pubsub.admin"],
    where: "meshjoin",
  },
  google_secret_manager_secret: {
    why: "to make the secret of the root CA",
    permissions: crud("secretmanager.secrets"),
    roles: ["roles/secretmanager.admin"],
    where: "meshjoin",
  },
  google_secret_manager_secret_iam_member: {
    why: "to let the signer read the root",
    permissions: policy("secretmanager.secrets"),
    roles: ["roles/secretmanager.admin"],
    where: "meshjoin",
  },
  google_service_account: {
    why: "to make an account for each function",
    permissions: crud("iam.serviceAccounts"),
    roles: ["roles/iam.serviceAccountAdmin"],
    where: "meshjoin",
  },
  google_service_account_iam_member: {
    why: "to let Pub/Sub call the functions as their account",
    permissions: policy("iam.serviceAccounts"),
    roles: ["roles/iam.serviceAccountAdmin"],
    where: "meshjoin",
  },
  google_storage_bucket: {
    why: "to keep the functions' source",
    permissions: crud("storage.buckets"),
    roles: ["roles/storage.admin"],
    where: "meshjoin",
  },
  google_storage_bucket_iam_member: {
    why: "to let the builder read the source",
    permissions: policy("storage.buckets"),
    roles: ["roles/storage.admin"],
    where: "meshjoin",
  },
  google_storage_bucket_object: {
    why: "to upload the functions' source",
    permissions: crud("storage.objects"),
    roles: ["roles/storage.admin"],
    where: "meshjoin",
  },
};

/** The needs of every deployment in a project, without options. */
export function defaultNeeds(isMeshjoins: boolean, isMembers: boolean): readonly TerraformNeed[] {
  const here = ["each", ...(isMeshjoins ? ["meshjoin"] : []), ...(isMembers ? ["members"] : [])];
  return Object.values(TERRAFORM_NEEDS).filter(
    ({ where, option }) => option === undefined && here.includes(where),
  );
}
