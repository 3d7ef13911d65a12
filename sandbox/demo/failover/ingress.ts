import type { SandboxFleet } from "../../fleet/fleet.ts";
import { createIfAbsent, memberApi } from "../../traffic/member-api.ts";
import { istioManifest, type Manifest, NAMESPACE, NETWORKING } from "../../traffic/objects.ts";
import { type Answer, firstAnswer, sendRequest } from "../../traffic/request.ts";

/** Requests of users, through the ingress of each member in turn. */
export type AskThroughIngress = (service: string) => Promise<Answer>;

const INGRESS_NAMESPACE = "istio-ingress";

/** Brings the Services in at each member, and resolves when each ingress has answered for each of them. */
export async function openIngress(
  fleet: SandboxFleet,
  services: readonly string[],
): Promise<AskThroughIngress> {
  const members = fleet.meshMembers();
  for (const member of members) {
    for (const manifest of manifestsFor(services)) await createIfAbsent(memberApi(member), manifest);
  }
  let next = 0;
  const ask: AskThroughIngress = async (service) => {
    const all = fleet.meshMembers();
    const ingress = all[next++ % all.length]?.ingress;
    if (ingress === undefined || ingress === null) throw new Error("a member has no ingress");
    return await sendRequest({ address: ingress.address, port: ingress.http, host: userHostOf(service) });
  };
  for (const service of services) {
    for (const { name } of members) await firstAnswer(`${service} at ${name}`, () => ask(service));
  }
  return ask;
}

function userHostOf(service: string): string {
  return `${service}.example.com`;
}

function manifestsFor(services: readonly string[]): Manifest[] {
  const gateway: Manifest = {
    path: `/apis/${NETWORKING}/namespaces/${INGRESS_NAMESPACE}/gateways`,
    object: {
      apiVersion: NETWORKING,
      kind: "Gateway",
      metadata: { name: "public", namespace: INGRESS_NAMESPACE },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*.example.com"] }],
      },
    },
  };
  return [
    gateway,
    ...services.map((service) =>
      istioManifest(NETWORKING, "VirtualService", "virtualservices", `${service}-public`, {
        hosts: [userHostOf(service)],
        gateways: [`${INGRESS_NAMESPACE}/public`],
        // A retry would hide failures.
        http: [
          {
            route: [{ destination: { host: `${service}.${NAMESPACE}.svc.cluster.local` } }],
            retries: { attempts: 0 },
          },
        ],
      }),
    ),
  ];
}
