import { GoogleError } from "../http/google-error.ts";
import type { ClusterRecord, WorkloadPolicy } from "./cluster.ts";
import { record } from "./fields.ts";

/**
 * A `ClusterUpdate` of the API, of which exactly one field may be given;
 * https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/ClusterUpdate
 */
export type Update =
  | { readonly kind: "workloadPolicy"; readonly policy: WorkloadPolicy }
  | { readonly kind: "endpoints"; readonly request: ClusterRecord["request"] };

const POLICY = "desiredAutopilotWorkloadPolicyConfig";
const ENDPOINTS = "desiredControlPlaneEndpointsConfig";
/** Of the DNS-based endpoint, and heeded. */
const SWITCHES = ["allowExternalTraffic", "enableK8sTokensViaDns"];

export function parseUpdate(cluster: ClusterRecord, change: Readonly<Record<string, unknown>>): Update {
  const [field, ...others] = Object.keys(change);
  if (others.length > 0) {
    throw new GoogleError("INVALID_ARGUMENT", "Exactly one field of a ClusterUpdate may be given.");
  }
  if (field === POLICY) return { kind: "workloadPolicy", policy: workloadPolicy(cluster, change[field]) };
  if (field === ENDPOINTS) return { kind: "endpoints", request: withEndpoints(cluster, change[field]) };
  throw unserved(field === undefined ? "an update of nothing" : `cluster.${field}`);
}

function workloadPolicy(cluster: ClusterRecord, desired: unknown): WorkloadPolicy {
  if (cluster.workloadPolicy === undefined) {
    throw new GoogleError("INVALID_ARGUMENT", "Workload policies are for Autopilot clusters only.");
  }
  return { allowNetAdmin: record(desired)["allowNetAdmin"] === true };
}

/** What is not given stays. */
function withEndpoints({ request }: ClusterRecord, desired: unknown): ClusterRecord["request"] {
  const { dnsEndpointConfig, ...others } = record(desired);
  const [other] = Object.keys(others);
  if (other !== undefined) throw unserved(`${ENDPOINTS}.${other}`);
  const switches = record(dnsEndpointConfig);
  const unknown = Object.keys(switches).find((name) => !SWITCHES.includes(name));
  if (unknown !== undefined) throw unserved(`${ENDPOINTS}.dnsEndpointConfig.${unknown}`);
  const before = record(request.stated["controlPlaneEndpointsConfig"]);
  const controlPlaneEndpointsConfig = {
    ...before,
    dnsEndpointConfig: { ...record(before["dnsEndpointConfig"]), ...switches },
  };
  return { ...request, stated: { ...request.stated, controlPlaneEndpointsConfig } };
}

/** As of a field that Google does not know: gcloud would try UNIMPLEMENTED again for half a minute. */
function unserved(what: string): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", `the sandbox does not update "${what}"`);
}
