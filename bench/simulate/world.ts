import { createCloudClient } from "../../sandbox/google/client.ts";
import { createFaultBoard } from "../../sandbox/google/faults/faults.ts";
import { startGke } from "../../sandbox/google/gke/api.ts";
import { createRequestLedger } from "../../sandbox/google/http/ledger.ts";
import { createIdentityTokens } from "../../sandbox/google/identity/identity-tokens.ts";
import { startMetadataServer } from "../../sandbox/google/identity/metadata.ts";
import { startTokenReview } from "../../sandbox/google/identity/token-review.ts";
import { createTokenRegistry } from "../../sandbox/google/identity/tokens.ts";
import { startSecretManager } from "../../sandbox/google/secret-manager/api.ts";
import { createUndo, type Undo } from "../../sandbox/os/undo.ts";
import type { ClusterRef } from "../../shared/core/cluster/cluster.ts";
import { clusterId, rootSecretName } from "../../shared/core/names.ts";
import { formatRootNotes, NO_NOTES } from "../../shared/core/roots/notes.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import { type Child, startChild } from "./calls.ts";
import type { MeasuredHandlers } from "./measured.ts";
import type { MemberHandlers } from "./members.ts";

/** A mesh of simulated members, stand-ins of Google's APIs, and the measured process. */
export interface SimulatedWorld {
  readonly members: Child<MemberHandlers>;
  readonly measured: Child<MeasuredHandlers>;
  /** Of the members, sorted. */
  readonly clusterIds: readonly string[];
  /** A cluster without the mesh label. */
  readonly newcomer: ClusterRef;
  /** Labels the newcomer. */
  admit(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly members: number;
  /** The manifest that the build has rendered. */
  readonly manifest: URL;
  readonly progress: (line: string) => void;
}

const PROJECT = { id: "meshjoin-bench", number: "271828182845" } as const;
const MESH = "bench";
const CALLER = `reconciler@${PROJECT.id}.iam.gserviceaccount.com`;
const LATENCY_MS = 30;
const LOCATIONS = ["europe-west1", "us-central1-a", "asia-northeast1", "europe-north1-b"] as const;
/** MiB, as Terraform gives a function. */
export const MEMORY_LIMIT = 512;
/** MiB: the heap limit of Node 24 in a control group of `MEMORY_LIMIT` (`heap_size_limit` of node:v8). */
const HEAP = 259;
/** MiB, for the members: each pair has a Secret on both sides. */
const MEMBERS_HEAP = 8192;

/** Everything is undone if the start fails. */
export async function startSimulatedWorld(options: WorldOptions): Promise<SimulatedWorld> {
  const undo = createUndo();
  try {
    return await start(options, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(
  { members: count, manifest, progress }: WorldOptions,
  undo: Undo,
): Promise<SimulatedWorld> {
  const tokens = createTokenRegistry();
  const faults = createFaultBoard();
  const shared = { tokens, faults, ledger: createRequestLedger(), projects: [PROJECT] };
  const metadata = await startMetadataServer({
    ...shared,
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    email: CALLER,
    identityTokens: createIdentityTokens(),
  });
  undo.add(() => metadata.close());
  const review = await startTokenReview(tokens);
  undo.add(() => review.close());
  const credentials = {
    PATH: process.env["PATH"],
    GCE_METADATA_HOST: metadata.host,
    GOOGLE_CLOUD_PROJECT: PROJECT.id,
    METADATA_SERVER_DETECTION: "assume-present",
  };
  const members = startChild<MemberHandlers>({
    module: new URL("./members.ts", import.meta.url),
    env: {
      ...credentials,
      SIMULATED_LATENCY_MS: String(LATENCY_MS),
      SIMULATED_TOKEN_REVIEW: review.url,
    },
    flags: [`--max-old-space-size=${MEMBERS_HEAP}`],
  });
  undo.add(() => members.stop());
  const gke = await startGke({
    ...shared,
    backend: {
      create: async (ref) => ({
        ...(await members.call("open", { clusterId: clusterId(ref) })),
        kubernetesVersion: "1.36.3-gke.1",
      }),
      setWorkloadPolicy: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    },
    onAuditEntry: () => undefined,
  });
  undo.add(() => gke.close());
  const secretManager = await startSecretManager(shared);
  undo.add(() => secretManager.close());

  const endpoints = { containerEndpoint: gke.url, secretManagerEndpoint: secretManager.url };
  const accessToken = tokens.issue("operator@example.com");
  const client = createCloudClient({ ...endpoints, project: PROJECT.id, accessToken });
  const root = await makeRoot({ organization: MESH, now: new Date() });
  const notes = formatRootNotes({ ...NO_NOTES, origin: "generated" }, {});
  await client.createSecret(rootSecretName(MESH), root.certificate + root.privateKey, "signing", notes);
  const refs = Array.from({ length: count }, (_, index) => refOf(`m${index + 1}`, index));
  const newcomer = refOf("newcomer", 0);
  progress(`${count} members: API servers and their istiods are started, and made one mesh`);
  await Promise.all(refs.map((ref) => client.createCluster({ ...ref, labels: { mesh_id: MESH } })));
  await client.createCluster({ ...newcomer, labels: {} });
  const env = {
    MESHJOIN_MESH_ID: MESH,
    MESHJOIN_PROJECTS: PROJECT.id,
    MESHJOIN_CONTAINER_ENDPOINT: gke.url,
    MESHJOIN_SECRETMANAGER_ENDPOINT: secretManager.url,
  };
  await members.call("seed", { env, manifest: manifest.href });
  for (const target of ["gke", "secretmanager"]) faults.add({ target, kind: "delay", delayMs: LATENCY_MS });
  const measured = startChild<MeasuredHandlers>({
    module: new URL("./measured.ts", import.meta.url),
    env: { ...credentials, ...env, SIMULATED_MANIFEST: manifest.href },
    flags: [`--max-heap-size=${HEAP}`],
  });
  undo.add(() => measured.stop());
  return {
    members,
    measured,
    clusterIds: refs.map(clusterId).toSorted(),
    newcomer,
    admit: () =>
      label(`${gke.url}/v1/projects/${PROJECT.id}/locations/${newcomer.location}/clusters`, accessToken),
    stop: () => undo.run(),
  };

  async function label(clusters: string, token: string): Promise<void> {
    const url = `${clusters}/${newcomer.name}`;
    const headers = { authorization: `Bearer ${token}` };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- google.container.v1.Cluster
    const { labelFingerprint } = (await (await fetch(url, { headers })).json()) as {
      labelFingerprint: string;
    };
    const body = JSON.stringify({ labelFingerprint, resourceLabels: { mesh_id: MESH } });
    const { ok, status } = await fetch(`${url}:setResourceLabels`, { method: "POST", headers, body });
    if (!ok) throw new Error(`the newcomer was not labelled: HTTP ${status}`);
  }
}

function refOf(name: string, index: number): ClusterRef {
  return { project: PROJECT.id, location: LOCATIONS[index % LOCATIONS.length] ?? LOCATIONS[0], name };
}
