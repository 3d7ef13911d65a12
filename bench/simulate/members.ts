import { type FaultProxy, startFaultProxy } from "../../sandbox/cluster/fault-proxy.ts";
import { annotation, CACERTS, remoteSecretName } from "../../shared/core/names.ts";
import { secretRef } from "../../shared/istio/secrets.ts";
import type { KubernetesObject } from "../../shared/ports/kubernetes-object.ts";
import { type FakeApiServer, fakeApiServer } from "../../test/support/fakes/member-api/api-server.ts";
import { processFaults } from "../../test/support/fakes/member-api/faults.ts";
import { loopbackIdentity } from "../../test/support/fakes/member-api/http/identity.ts";
import { type Authorize, httpApiServer } from "../../test/support/fakes/member-api/http/server.ts";
import { usageMeter } from "../../test/support/fakes/member-api/http/usage.ts";
import type { Reach } from "../../test/support/fakes/member-api/istiod.ts";
import { answerCalls } from "./calls.ts";
import { type SeedOptions, seedMesh } from "./seed.ts";

/**
 * The process of the simulated members: API servers with their istiods, each on a port of its own, with a
 * latency of `SIMULATED_LATENCY_MS`. An access token that `SIMULATED_TOKEN_REVIEW` accepts may do everything.
 */

interface SimulatedMember {
  readonly clusterId: string;
  readonly server: FakeApiServer;
  readonly proxy: FaultProxy;
}

/** The real state of a member. */
export interface MemberLook {
  readonly clusterId: string;
  /** Other clusters that its istiod lists as synced. */
  readonly synced: number;
  /** From `cacerts`: the fingerprint, and the versions of the roots. */
  readonly intermediate: string;
  readonly rootVersions: string;
  /** Whether istiod shows that intermediate on its port. */
  readonly serves: boolean;
}

const latencyMs = Number(process.env["SIMULATED_LATENCY_MS"]);
const reviewUrl = process.env["SIMULATED_TOKEN_REVIEW"] ?? "";
/** Longer than any caller waits. */
const SILENCE_MS = 3_600_000;
/** The share of a token's life after which it is due for renewal in any turn, and not about to end. */
const AGE = 0.72;

const members = new Map<string, SimulatedMember>();
const addresses = new Map<string, FakeApiServer>();
const identity = loopbackIdentity();
const usage = usageMeter();
const rights = new Map<string, ReturnType<Authorize>>();

/** Keeps every answer; kube-apiserver keeps it for two minutes. */
const authorize: Authorize = async (token) => {
  const answer = rights.get(token) ?? review(token);
  rights.set(token, answer);
  return await answer;
};

async function review(token: string): ReturnType<Authorize> {
  const body = JSON.stringify({
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token },
  });
  const response = await fetch(reviewUrl, { method: "POST", body });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- authentication/v1 TokenReview
  const { status } = (await response.json()) as { status?: { authenticated?: boolean } };
  return status?.authenticated === true ? "everything" : undefined;
}

const handlers = {
  /** Starts another API server. */
  async open({ clusterId }: { clusterId: string }): Promise<{ endpoint: string; caPem: string }> {
    const { cert, key } = await identity;
    const caData = Buffer.from(cert).toString("base64");
    const reach: Reach = (kubeconfig) =>
      kubeconfig.caData === caData && addresses.get(kubeconfig.server)?.accepts(kubeconfig.token) === true
        ? "open"
        : "refused";
    const server = fakeApiServer({ name: clusterId, clock: { now: () => new Date() }, reach });
    const { port } = await httpApiServer({ server, identity: { cert, key }, authorize, usage });
    const proxy = await startFaultProxy(port, { cert, key });
    proxy.setFault({ kind: "delay", delayMs: latencyMs });
    members.set(clusterId, { clusterId, server, proxy });
    const endpoint = `127.0.0.1:${proxy.port}`;
    addresses.set(`https://${endpoint}`, server);
    return { endpoint, caPem: cert };
  },
  async seed(options: SeedOptions): Promise<void> {
    await seedMesh(options, (clusterId) => member(clusterId).server);
  },
  /** Accepts connections and sends nothing. */
  silence({ clusterIds }: { clusterIds: string[] }): void {
    for (const id of clusterIds) member(id).proxy.setFault({ kind: "delay", delayMs: SILENCE_MS });
  },
  speak(): void {
    for (const { proxy } of members.values()) proxy.setFault({ kind: "delay", delayMs: latencyMs });
  },
  /** Ages the token by which each reads the next one. */
  age({ clusterIds }: { clusterIds: string[] }): void {
    for (const [index, id] of clusterIds.entries()) {
      const target = clusterIds[(index + 1) % clusterIds.length] ?? id;
      const { store } = member(id).server;
      const secret = store.get(secretRef(remoteSecretName(target)));
      if (secret === undefined) throw new Error(`${id} does not read ${target}; seed first`);
      store.replace(aged(secret));
    }
  },
  usage: () => usage.take(),
  async look({ clusterIds }: { clusterIds: string[] }): Promise<MemberLook[]> {
    return await Promise.all(clusterIds.map((id) => lookAt(member(id))));
  },
};
export type MemberHandlers = typeof handlers;

function member(clusterId: string): SimulatedMember {
  const open = members.get(clusterId);
  if (open === undefined) throw new Error(`${clusterId} was never opened`);
  return open;
}

function aged({ apiVersion, kind, metadata, ...content }: KubernetesObject): KubernetesObject {
  const { managedFields: _, annotations = {}, ...rest } = metadata;
  const at = (key: string) => Date.parse(annotations[annotation(key)] ?? "");
  const [issued, expires] = [at("token-issued-at"), at("token-expires-at")];
  const shift = (expires - issued) * AGE;
  const earlier = {
    [annotation("token-issued-at")]: new Date(issued - shift).toISOString(),
    [annotation("token-expires-at")]: new Date(expires - shift).toISOString(),
  };
  return { apiVersion, kind, metadata: { ...rest, annotations: { ...annotations, ...earlier } }, ...content };
}

async function lookAt({ clusterId, server }: SimulatedMember): Promise<MemberLook> {
  const { istiod } = server.memberApi(processFaults());
  const [pod] = server.store.list({ apiVersion: "v1", kind: "Pod", namespace: "istio-system" });
  const annotations = server.store.get(secretRef(CACERTS))?.metadata.annotations ?? {};
  const intermediate = annotations[annotation("fingerprint")] ?? "";
  const session = istiod.open(pod?.metadata.name ?? "");
  const rows = pod === undefined ? [] : await session.remoteClusters();
  const chain = pod === undefined ? [] : await session.servedChain();
  return {
    clusterId,
    synced: rows.filter((row) => row.status === "synced" && row.secretName !== "").length,
    intermediate,
    rootVersions: annotations[annotation("root-versions")] ?? "",
    serves: chain.includes(intermediate),
  };
}

answerCalls(handlers);
