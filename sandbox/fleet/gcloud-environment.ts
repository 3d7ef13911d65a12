import { join } from "node:path";
import { renderExports } from "../os/shell.ts";
import type { FleetFile } from "./fleet-file.ts";

/** What gcloud has to know of a sandbox. */
type GcloudTarget = Pick<
  FleetFile,
  | "project"
  | "containerEndpoint"
  | "secretManagerEndpoint"
  | "computeEndpoint"
  | "projectEndpoint"
  | "accessTokenFile"
>;

export function gcloudEnvironmentFile(dir: string): string {
  return join(dir, "gcloud.env");
}

/**
 * Lines for a POSIX shell that point gcloud at the sandbox and at nothing else. What it writes stays below
 * `dir`, the kubeconfig too: `clusters create` makes the new cluster kubectl's current one.
 * https://cloud.google.com/sdk/docs/properties#setting_properties_using_environment_variables
 */
export function renderGcloudEnvironment(dir: string, target: GcloudTarget): string {
  const variables = {
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING: `${target.projectEndpoint}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: `${target.projectEndpoint}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${target.computeEndpoint}/compute/v1/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: `${target.containerEndpoint}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${target.secretManagerEndpoint}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE: `${target.projectEndpoint}/`,
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: target.accessTokenFile,
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
    CLOUDSDK_CONFIG: join(dir, "gcloud"),
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
    CLOUDSDK_CORE_PROJECT: target.project,
    KUBECONFIG: join(dir, "gcloud", "kubeconfig"),
  };
  return renderExports(variables);
}
