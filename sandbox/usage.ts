import { join, resolve } from "node:path";
import { rootSecretName } from "../shared/core/names.ts";
import type { FleetFile } from "./fleet/fleet-file.ts";
import { gcloudEnvironmentFile } from "./fleet/gcloud-environment.ts";
import { meshjoinEnvironmentFile } from "./fleet/meshjoin-environment.ts";
import type { Target } from "./traffic/request.ts";

export interface Usage {
  /** Where requests are sent to, if they are. */
  readonly traffic: Target | undefined;
  /** Whether the rule for pods is there. */
  readonly firewall: boolean;
}

/** What a person who has just started a sandbox wants to paste into another terminal. */
export function renderUsage(dir: string, fleet: FleetFile, { traffic, firewall }: Usage): string {
  const [member] = fleet.members;
  const sections = [
    [
      `The fleet of project ${fleet.project}, mesh ${fleet.meshId}, is up. Everything about it: ${join(resolve(dir), "fleet.json")}`,
      ...fleet.members.map((each) => `  ${each.clusterId}  ${each.istiodHttp ?? "no istiod"}`),
      ...Object.entries(fleet.functions).map(([name, url]) => `  ${name}  ${url}`),
      `  logs  ${fleet.logDir}`,
    ],
    [
      "Meshjoin's own command line, in another terminal, from the project's folder:",
      `  . ${meshjoinEnvironmentFile(resolve(dir))}`,
      "  npm run meshjoin -- status",
      "  npm run meshjoin -- --help",
    ],
    fleet.functions["sync-mesh"] === undefined
      ? []
      : ["The mesh as a page, in a browser:", `  ${fleet.functions["sync-mesh"]}/`],
    member === undefined
      ? []
      : [
          "Kubernetes and Istio:",
          `  export KUBECONFIG=${member.kubeconfig}`,
          `  ${fleet.clients.kubectl} get secrets -n istio-system`,
          ...(member.istiodHttp === undefined ? [] : [`  ${fleet.clients.istioctl} remote-clusters`]),
        ],
    traffic === undefined
      ? []
      : [
          `Requests flow, every result is in ${join(fleet.logDir, "traffic.jsonl")}; one more of them:`,
          `  curl -H "Host: ${traffic.host}" http://127.0.0.1:${traffic.port}/`,
        ],
    [
      "A cluster more, through the GKE API:",
      `  curl -X POST -H "Authorization: Bearer $(cat ${fleet.accessTokenFile})" -H "Content-Type: application/json" \\`,
      `    -d '{"cluster":{"name":"another","initialNodeCount":1,"resourceLabels":{"mesh_id":"${fleet.meshId}"}}}' \\`,
      `    ${fleet.containerEndpoint}/v1/projects/${fleet.project}/locations/europe-west1/clusters`,
    ],
    [
      "gcloud, where it is installed:",
      `  . ${gcloudEnvironmentFile(resolve(dir))}`,
      `  gcloud container clusters create another --location europe-west1 --labels mesh_id=${fleet.meshId}`,
      "  gcloud container clusters list",
      `  gcloud secrets versions access signing --secret ${rootSecretName(fleet.meshId)} | openssl x509 -noout -subject -enddate`,
    ],
    firewall
      ? []
      : [
          "No firewall rule lets pods of one cluster reach those of another. This finds it, and says what makes the rule:",
          "  npm run meshjoin -- doctor",
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
