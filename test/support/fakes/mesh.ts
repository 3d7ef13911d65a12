import { gkeSources } from "../../../shared/adapters/cluster-sources.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import type { FirewallRule } from "../../../shared/core/firewall/firewall.ts";
import type { RunKind } from "../../../shared/core/member/record.ts";
import { clusterId } from "../../../shared/core/names.ts";
import type { DrainOrder, ReconcileRequest } from "../../../shared/core/request.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import { inProcessAuthority } from "../../../shared/pki/in-process-authority.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import type { Examiner } from "../../../shared/ports/examiner.ts";
import type { RotatorPorts } from "../../../shared/ports/ports.ts";
import type { RootKeeper } from "../../../shared/ports/root-keeper.ts";
import type { Progress } from "../../../shared/progress.ts";
import { type Reconciled, reconcile } from "../../../shared/reconcile.ts";
import type { RotatorRun } from "../../../shared/rotate/change-roots.ts";
import { createRun } from "../../../shared/run.ts";
import { closing } from "../../../shared/runtime.ts";
import { aCluster } from "../builders/cluster.ts";
import { aSpec } from "../builders/spec.ts";
import { MANIFEST_TEMPLATE } from "../fixtures/manifest-template.ts";
import { type FakeClock, fakeClock } from "./clock.ts";
import { type FakeClusterDirectory, fakeClusterDirectory } from "./cluster-directory.ts";
import { type FakeFirewalls, fakeFirewalls } from "./firewalls.ts";
import { type FakeFleet, fakeFleet } from "./fleet.ts";
import type { FakeApiServer } from "./member-api/api-server.ts";
import type { ProcessFaults } from "./member-api/faults.ts";
import { type FakeRootStore, fakeRootStore } from "./root-store.ts";

/** A whole world in memory. Processes come and go in it. */
export interface FakeMesh {
  readonly spec: MeshSpec;
  readonly clock: FakeClock;
  readonly directory: FakeClusterDirectory;
  /** One rule lets all pods of network `default` reach each other. */
  readonly firewalls: FakeFirewalls;
  readonly roots: FakeRootStore;
  readonly fleet: FakeFleet;
  /** In the order of their cluster IDs. */
  readonly clusters: readonly Cluster[];
  readonly servers: readonly FakeApiServer[];
  /** Creates a cluster, as the GKE API would. */
  add(cluster: Cluster): FakeApiServer;
  /** A new process, with connections of its own. */
  run(process?: ProcessOptions): RotatorRun;
  /** What one event about this cluster does, in a new process. */
  join(cluster: Cluster, process?: ProcessOptions): Promise<Reconciled>;
  reconcile(scope: ReconcileRequest["scope"], process?: ProcessOptions): Promise<Reconciled>;
}

export interface ProcessOptions {
  readonly faults?: ProcessFaults;
  readonly signal?: AbortSignal;
  readonly report?: (progress: Progress) => void;
  readonly template?: ManifestTemplate;
  /** A configuration that has changed. */
  readonly spec?: Partial<MeshSpec>;
  /** Settings that have been emptied. */
  readonly emptied?: readonly "drainAfter"[];
  readonly confirm?: readonly string[];
  /** IDs of clusters that a person takes out. */
  readonly leaving?: readonly string[];
  /** What a person says of one member. */
  readonly drain?: DrainOrder;
  readonly deep?: boolean;
  /** As the function runs it: `full` decides on automatic drains. */
  readonly notedAs?: RunKind;
  readonly examiners?: readonly Examiner[];
  /** As a process of the functions does. */
  readonly heedsPause?: boolean;
}

export interface MeshOptions {
  /** Named m1, m2, …; none has joined yet. */
  readonly members?: number;
  readonly clusters?: readonly Cluster[];
  readonly spec?: Partial<MeshSpec>;
}

const ALL_PODS: FirewallRule = {
  name: "meshjoin-pods",
  direction: "INGRESS",
  action: "allow",
  priority: 1000,
  tcp: "all",
  sourceRanges: ["10.0.0.0/8"],
  destinationRanges: [],
  byName: false,
};

/** Longer than anything that is waited for here takes. */
const DEADLINE_MS = 20_000;

export async function aMesh(options: MeshOptions = {}): Promise<FakeMesh> {
  const spec = aSpec(options.spec);
  const clock = fakeClock();
  const names = Array.from({ length: options.members ?? 0 }, (_, index) => `m${index + 1}`);
  const seeds = options.clusters ?? names.map((name) => aCluster({ name }));
  const directory = fakeClusterDirectory({ projects: spec.projects });
  const firewalls = fakeFirewalls(["shop"]);
  firewalls.put({ project: "shop", name: "default" }, ALL_PODS);
  const roots = fakeRootStore(spec.meshId);
  const fleet = fakeFleet(clock);
  const clusters: Cluster[] = [];

  function add(cluster: Cluster): FakeApiServer {
    directory.put(cluster);
    clusters.push(cluster);
    return fleet.add(cluster);
  }
  for (const cluster of seeds) add(cluster);
  roots.setAliases({ signing: roots.addVersion(await rootPayload(clock)) });

  function run(process: ProcessOptions = {}): RotatorRun {
    const { faults, signal, report, template, examiners = [], heedsPause = false } = process;
    const ports: RotatorPorts = {
      clock,
      sources: gkeSources(directory),
      operations: directory,
      roots,
      keeper: faults === undefined ? roots : keeperOf(roots, faults),
      authority: inProcessAuthority({ keys: keysInPayloads, store: roots, clock, spec }),
      fleet: fleet.process(faults),
      examiners,
    };
    return createRun({
      ports,
      spec: specOf({ ...spec, ...process.spec }, process.emptied),
      heedsPause,
      template: template ?? MANIFEST_TEMPLATE,
      progress: report ?? (() => undefined),
      signal: signal ?? AbortSignal.timeout(DEADLINE_MS),
    });
  }

  /** The process ends with its answer. If it has died, its caller gets none. */
  async function inProcess<T>(how: ProcessOptions | undefined, use: (begun: RotatorRun) => Promise<T>) {
    const answer = await closing(run(how), use);
    how?.faults?.assertAlive();
    return answer;
  }

  async function reconcileScope(scope: ReconcileRequest["scope"], process?: ProcessOptions) {
    const { confirm = [], leaving = [], deep = false, drain, notedAs } = process ?? {};
    const order = {
      ...(drain === undefined ? {} : { drain }),
      ...(notedAs === undefined ? {} : { notedAs }),
    };
    const request = { scope, reason: "test", confirm, leaving, deep, rollOut: true, ...order };
    return await inProcess(process, (begun) => reconcile(begun, request));
  }

  return {
    spec,
    clock,
    directory,
    firewalls,
    roots,
    fleet,
    clusters,
    get servers() {
      return clusters.map((cluster) => fleet.server(cluster));
    },
    add,
    run,
    join: async (cluster, process) => {
      const request = { scope: { clusterId: clusterId(cluster.ref) }, reason: "test" };
      const known = [directory.peek(cluster.ref) ?? cluster];
      return await inProcess(process, (begun) => reconcile(begun, request, known));
    },
    reconcile: reconcileScope,
  };
}

function specOf(spec: MeshSpec, emptied: readonly string[] = []): MeshSpec {
  const { drainAfter, ...rest } = spec;
  return drainAfter === undefined || emptied.includes("drainAfter") ? rest : spec;
}

/** The root secret as a process writes to it that may die. */
function keeperOf(roots: FakeRootStore, faults: ProcessFaults): RootKeeper {
  return {
    list: (signal) => roots.list(signal),
    granted: (permissions, signal) => roots.granted(permissions, signal),
    create: async (signal) => await faults.around(() => roots.create(signal)),
    update: async (...args) => await faults.around(() => roots.update(...args)),
    add: async (...args) => await faults.around(() => roots.add(...args)),
    disable: async (...args) => await faults.around(() => roots.disable(...args)),
  };
}

let payload: Promise<string> | undefined;

/**
 * One root for all meshes of a test file: its key is not what they are about, so it is the one that signs and
 * verifies fastest.
 */
async function rootPayload(clock: FakeClock): Promise<string> {
  payload ??= makeRoot({ now: clock.now(), algorithm: "ec-p256" }).then(
    (root) => root.certificate + root.privateKey,
  );
  return await payload;
}
