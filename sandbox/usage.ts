import { join, resolve } from "node:path";
import type { FleetFile } from "./fleet-file.ts";

/** What somebody who has just started a sandbox wants to paste into another terminal. */
export function renderUsage(dir: string, fleet: FleetFile): string {
  const [member] = fleet.members;
  const sections = [
    [
      `The fleet of project ${fleet.project}, mesh ${fleet.meshId}, is up. Everything about it: ${join(resolve(dir), "fleet.json")}`,
      ...fleet.members.map((each) => `  ${each.clusterId}  ${each.istiodHttp ?? "no istiod"}`),
      ...Object.entries(fleet.functions).map(([name, url]) => `  ${name}  ${url}`),
      `  logs  ${fleet.logDir}`,
    ],
    member === undefined
      ? []
      : [
          "Kubernetes:",
          `  kubectl --kubeconfig ${member.kubeconfig} get secrets -n istio-system`,
          ...(member.istiodHttp === undefined ? [] : [`  curl ${member.istiodHttp}/debug/clusterz`]),
        ],
    [
      "A cluster more, through the GKE API:",
      `  curl -X POST -H "Authorization: Bearer $(cat ${fleet.accessTokenFile})" -H "Content-Type: application/json" \\`,
      `    -d '{"cluster":{"name":"another","resourceLabels":{"mesh_id":"${fleet.meshId}"}}}' \\`,
      `    ${fleet.containerEndpoint}/v1/projects/${fleet.project}/locations/europe-west1/clusters`,
    ],
    [
      "gcloud, where it is installed:",
      `  export CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER=${fleet.containerEndpoint}/`,
      `  export CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE=${fleet.containerEndpoint}/`,
      `  export CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER=${fleet.secretManagerEndpoint}/`,
      `  export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=${fleet.accessTokenFile} CLOUDSDK_CORE_PROJECT=${fleet.project}`,
      "  gcloud container clusters list",
    ],
    [
      "Faults:",
      `  curl -X POST -d '{"target":"gke","kind":"status","status":503,"count":3}' ${fleet.controlUrl}/faults`,
      `  curl -X DELETE ${fleet.controlUrl}/faults`,
    ],
    ["Ctrl-C stops all of it."],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}
