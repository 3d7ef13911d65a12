import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type GoogleCloud, PROJECT, startGoogleCloud } from "../sandbox/google/cloud.ts";
import { type Bundle, functionProcess, readBundle } from "../sandbox/google/functions/function-process.ts";
import { type AuditedCall, finishedEntry } from "../sandbox/google/gke/audit-entry.ts";
import { startMetadataServer } from "../sandbox/google/identity/metadata.ts";
import { CLUSTER_EVENTS } from "../sandbox/google/pubsub/pubsub.ts";
import { freePort } from "../sandbox/os/free-port.ts";
import { startProcess } from "../sandbox/os/process.ts";
import { createUndo, type Undo } from "../sandbox/os/undo.ts";
import { median } from "./median.ts";
import { atMost, type Target } from "./target.ts";

/** The work of the first event: none, or a look at GKE, for which all clients are loaded. */
type FirstEvent = "ignored" | "looked up";

/** Times from the start of the process to its answer to the first event, over several starts. */
export interface ColdStart {
  readonly firstEvent: FirstEvent;
  readonly compileCache: "none" | "warm";
  readonly runs: number;
  readonly medianMs: number;
  readonly slowestMs: number;
  /** Of an answer to an ignored event; a look at GKE has no target. */
  readonly target?: Target;
}

export interface ColdStartOptions {
  /** The directory that `npm run build` made. */
  readonly bundle: string;
  /** For work files. */
  readonly dir: string;
  /** Starts of each kind. */
  readonly runs: number;
  readonly signal: AbortSignal;
}

const FUNCTION = "on-cluster-event";
const LIMITS_MS = { none: 1000, warm: 600 } as const;
const KINDS = [
  { firstEvent: "ignored", compileCache: "none" },
  { firstEvent: "ignored", compileCache: "warm" },
  { firstEvent: "looked up", compileCache: "none" },
  { firstEvent: "looked up", compileCache: "warm" },
] as const;
const RETRY_MS = 2;
const PATIENCE_MS = 60_000;

/** The kinds take turns, so that a busy moment of the machine affects all of them. */
export async function measureColdStarts({
  bundle,
  dir,
  runs,
  signal,
}: ColdStartOptions): Promise<ColdStart[]> {
  const undo = createUndo();
  try {
    const instance = await prepare(bundle, dir, undo);
    const cache = join(dir, "compile-cache");
    // Not measured: fills the compile cache, and the page cache of the operating system.
    await firstAnswer(instance, "looked up", cache);
    const times = KINDS.map((): number[] => []);
    for (let run = 0; run < runs; run += 1) {
      for (const [index, { firstEvent, compileCache }] of KINDS.entries()) {
        signal.throwIfAborted();
        const ms = await firstAnswer(instance, firstEvent, compileCache === "warm" ? cache : undefined);
        times[index]?.push(ms);
      }
    }
    return KINDS.map((kind, index) => summarise(kind, times[index] ?? []));
  } finally {
    await undo.run();
  }
}

function summarise(kind: (typeof KINDS)[number], times: readonly number[]): ColdStart {
  const medianMs = Math.round(median(times));
  return {
    ...kind,
    runs: times.length,
    medianMs,
    slowestMs: Math.round(Math.max(...times)),
    ...(kind.firstEvent === "ignored"
      ? { target: atMost(LIMITS_MS[kind.compileCache], medianMs, " ms") }
      : {}),
  };
}

interface Instance {
  readonly bundle: Bundle;
  readonly logDir: string;
  readonly google: GoogleCloud;
  readonly metadataHost: string;
}

/** Google's APIs without any cluster, as the function needs them. */
async function prepare(bundle: string, dir: string, undo: Undo): Promise<Instance> {
  const logDir = join(dir, "logs");
  const google = await startGoogleCloud({ dir, logDir, env: {}, progress: console.error }, undo);
  const metadata = await startMetadataServer({
    ...google,
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    email: google.accounts.reconciler,
  });
  undo.add(() => metadata.close());
  return { bundle: readBundle(bundle), logDir, google, metadataHost: metadata.host };
}

/** Starts the function, POSTs as soon as its port accepts, and answers the milliseconds of all that. */
async function firstAnswer(
  { bundle, logDir, google, metadataHost }: Instance,
  event: FirstEvent,
  compileCache: string | undefined,
): Promise<number> {
  const port = await freePort();
  const env = {
    MESHJOIN_MESH_ID: "bench",
    MESHJOIN_PROJECTS: PROJECT.id,
    MESHJOIN_CONTAINER_ENDPOINT: google.containerEndpoint,
    MESHJOIN_SECRETMANAGER_ENDPOINT: google.secretManagerEndpoint,
    ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
  };
  const body = pushBody(event);
  const since = Date.now();
  const start = performance.now();
  const running = await startProcess({
    ...functionProcess(FUNCTION, bundle, { project: PROJECT.id, port, metadataHost, env }),
    logDir,
  });
  try {
    const ended = running.exited.then(() => {
      throw new Error(`${FUNCTION} ended before it answered; its log says why`);
    });
    const status = await Promise.race([post(port, body), ended]);
    const ms = performance.now() - start;
    if (status !== 204)
      throw new Error(`${FUNCTION} answered its first event with ${status} instead of 204; its log says why`);
    const called = google.ledger.requests(google.accounts.reconciler, since).gke > 0;
    if (called !== (event === "looked up")) {
      throw new Error(`${FUNCTION} ${called ? "asked" : "did not ask"} GKE about an event that is ${event}`);
    }
    return ms;
  } finally {
    await running.stop();
  }
}

/** The status of the first answer; retries until the port accepts. */
async function post(port: number, body: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/projects/${PROJECT.id}/topics/${CLUSTER_EVENTS}`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    try {
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body, signal });
      await response.arrayBuffer();
      return response.status;
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** The end of a creation as Pub/Sub delivers it: a failed one, or one of a cluster that is gone. */
function pushBody(event: FirstEvent): string {
  const now = new Date();
  const call: AuditedCall = {
    method: "CreateCluster",
    apiVersion: "v1",
    ref: { project: PROJECT.id, location: "europe-west1", name: "nowhere" },
    caller: "bench",
    userAgent: "bench",
    request: {},
  };
  const error = event === "ignored" ? { code: 8, message: "no capacity left" } : undefined;
  const entry = finishedEntry(call, "operation-1", now, error);
  const data = Buffer.from(JSON.stringify(entry)).toString("base64");
  const message = { data, attributes: {}, messageId: "1", publishTime: now.toISOString() };
  return JSON.stringify({ message, subscription: `${CLUSTER_EVENTS}-push` });
}
