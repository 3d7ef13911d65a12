import { setTimeout as sleep } from "node:timers/promises";
import type { V1Deployment, V1Pod, V1Secret } from "@kubernetes/client-node";
import { GATEWAY, ISTIO_NAMESPACE, remoteSecretName } from "../../../shared/core/names.ts";
import type { ApiClient } from "../../cluster/api-client.ts";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { meshStatus, syncMesh } from "../../fleet/sync-mesh-client.ts";
import type { FleetMember } from "../../google/member.ts";
import { memberApi } from "../../traffic/member-api.ts";
import { INTERMEDIATES, ROOT_ROTATION } from "../rotation/rotations.ts";
import type { Step } from "../rotation/step.ts";
import { renewTokens } from "../rotation/tokens.ts";

const NAMESPACE = `/api/v1/namespaces/${ISTIO_NAMESPACE}`;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${ISTIO_NAMESPACE}/deployments`;
const GATEWAYS = `/apis/gateway.networking.k8s.io/v1/namespaces/${ISTIO_NAMESPACE}/gateways`;
const SERVICE = `${GATEWAY}-istio`;
const NEWCOMER = "third";
const POLL_MS = 500;
const PATIENCE_MS = 120_000;
/** What is wrong is looked at for so long. */
const WRONG_MS = 5000;

/** In this order; in each no request may fail, and no proxy may get an address of another network. */
export const STEPS: readonly Step[] = [
  {
    name: "join of a third member in a third network",
    async run({ fleet }) {
      await fleet.createCluster(NEWCOMER, { network: "network-3" });
      await fleet.waitUntilSynced();
    },
  },
  {
    name: "leave of the third member",
    async run({ fleet }) {
      await fleet.deleteCluster(NEWCOMER);
      await fleet.waitUntilDelivered();
      await syncMesh(fleet);
    },
  },
  INTERMEDIATES,
  ...ROOT_ROTATION,
  { name: "restart of an istiod", run: ({ fleet }) => roll(fleet, "istiod", "app=istiod") },
  {
    name: "roll-out of a gateway",
    run: ({ fleet }) => roll(fleet, SERVICE, `gateway.networking.k8s.io/gateway-name=${GATEWAY}`),
  },
  { name: "token renewal of every pair", run: renewTokens },
];

/** Not Meshjoin's doing: what fails until its next run is counted for itself. */
export const BY_HAND: Step = {
  name: "by hand: a gateway's address goes, and then its Gateway, until the next run",
  async run({ fleet, say }) {
    const [, member] = two(fleet);
    await fault(fleet, { target: member.clusterId, kind: "gatewayAddress" });
    await memberApi(member).delete(`${GATEWAYS}/${GATEWAY}`, {});
    await sleep(WRONG_MS);
    say("  the next run begins");
    await fault(fleet, undefined);
    await syncMesh(fleet);
    await untilCalm(fleet);
  },
};

const CONTROL_NAME = "wrong order: a remote secret by hand, while no gateway has an address";

/** What every guide warns of, to show that its failures and addresses are seen. It always ends. */
export const CONTROL: Step = {
  name: CONTROL_NAME,
  async run({ fleet }) {
    const [reader, target] = two(fleet);
    const api = memberApi(reader);
    const path = `${NAMESPACE}/secrets`;
    const secret = await api.get<V1Secret>(`${path}/${remoteSecretName(target.clusterId)}`);
    try {
      await fault(fleet, { target: target.clusterId, kind: "gatewayAddress" });
      await api.delete(`${path}/${remoteSecretName(target.clusterId)}`, {});
      await memberApi(target).delete(`${NAMESPACE}/services/${SERVICE}`, {});
      await sleep(POLL_MS);
      await api.create(path, again(secret));
      await sleep(WRONG_MS);
    } finally {
      await fault(fleet, undefined);
    }
    await syncMesh(fleet);
    await untilCalm(fleet);
  },
};

function again({ metadata, ...rest }: V1Secret): object {
  const { name, namespace, labels, annotations } = metadata ?? {};
  return { ...rest, metadata: { name, namespace, labels, annotations } };
}

function two(fleet: SandboxFleet): readonly [FleetMember, FleetMember] {
  const [one, other] = fleet.meshMembers();
  if (one === undefined || other === undefined) throw new Error("the demo needs two members");
  return [one, other];
}

/** `undefined`: no fault any more. */
async function fault(fleet: SandboxFleet, body: object | undefined): Promise<void> {
  const url = `${fleet.file().controlUrl}/faults`;
  const init = body === undefined ? { method: "DELETE" } : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
}

/** The mesh is one again, and no pair waits. */
async function untilCalm(fleet: SandboxFleet): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const { pairs } = await meshStatus(fleet);
    if (pairs.length > 0 && pairs.every(({ status, isDue }) => isDue && status === "synced")) return;
    await syncMesh(fleet);
  }
  throw new Error("the mesh is not one again; read the log of sync-mesh");
}

/** As `kubectl rollout restart` does, until the new pod is the only one and ready. */
async function roll(fleet: SandboxFleet, deployment: string, selector: string): Promise<void> {
  const [, member] = two(fleet);
  const api = memberApi(member);
  const before = new Set((await podsOf(api, selector)).map(({ metadata }) => metadata?.uid));
  const restartedAt = new Date().toISOString();
  await api.mergePatch(`${DEPLOYMENTS}/${deployment}`, {
    spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": restartedAt } } } },
  });
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const pods = await podsOf(api, selector);
    const isNew = pods.length > 0 && pods.every(({ metadata }) => !before.has(metadata?.uid));
    const { status } = await api.get<V1Deployment>(`${DEPLOYMENTS}/${deployment}`);
    if (isNew && status?.availableReplicas === pods.length) return;
  }
  throw new Error(`${deployment} was not rolled out; see the logs of its pods`);
}

async function podsOf(api: ApiClient, selector: string): Promise<readonly V1Pod[]> {
  const path = `${NAMESPACE}/pods?labelSelector=${encodeURIComponent(selector)}`;
  return (await api.get<{ items: V1Pod[] }>(path)).items;
}
