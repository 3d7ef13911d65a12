import { setImmediate as nextTurn } from "node:timers/promises";
import { PROBE_NAMESPACE } from "../../../../shared/core/probe/wire.ts";
import type { Clock } from "../../../../shared/ports/clock.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type {
  ConnectedProxy,
  IstiodProbe,
  MemberApi,
  ObjectQuery,
  Permission,
  RemoteClusterStatus,
} from "../../../../shared/ports/member-api.ts";
import { assertAdmitted } from "./admission.ts";
import { runControllers } from "./controllers.ts";
import { notFound } from "./errors.ts";
import type { ProcessFaults } from "./faults.ts";
import { type GatewayBehaviour, simulatedGateways } from "./gateways.ts";
import { type IstiodBehaviour, type Reach, simulatedIstiod } from "./istiod.ts";
import { type ObjectStore, objectStore } from "./object-store.ts";
import { type ProbeBehaviour, simulatedProbe } from "./probe.ts";
import { tokenAuthority } from "./reader-tokens.ts";
import { type RequestGate, requestGate, type ServerFaults, type Verb } from "./requests.ts";
import { type ServedKinds, servedKinds } from "./served.ts";

/** As GKE names a Google service account. */
const CALLER = "meshjoin-reconciler@shop.iam.gserviceaccount.com";

/** One cluster's API server in memory, with an istiod that takes notice of its objects. */
export interface FakeApiServer {
  /** As one process sees it. */
  memberApi(process: ProcessFaults): MemberApi;
  /** What an operator sees and does: no faults, no counting. */
  readonly store: ObjectStore;
  readonly faults: ServerFaults;
  readonly kinds: ServedKinds;
  readonly requests: Pick<RequestGate, "counts" | "total">;
  readonly istiod: IstiodBehaviour;
  readonly gateways: GatewayBehaviour;
  /** Its controllers look again. */
  settleGateways(): void;
  readonly probe: ProbeBehaviour;
  /** Kubelets and controllers look at the probe again. */
  settleProbe(): void;
  /** What its istiod signs with. */
  loadedCacerts(): KubernetesObject | undefined;
  /** As its istiod lists them. */
  remoteClusters(): readonly RemoteClusterStatus[];
  /** The proxies that are connected to its istiod. */
  readonly connected: ConnectedProxy[];
  /** An istiod that would never have been ready looks again. */
  wakeIstiod(): void;
  /** Whether a client with this token gets in. */
  accepts(token: string): boolean;
  /** In seconds; the server grants no token that lives longer. */
  capTokens(seconds: number): void;
  /** Its clock is so far ahead, in seconds. */
  skewClock(seconds: number): void;
}

export interface FakeApiServerOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly reach: Reach;
  /** The objects of another cluster that it may have to do with. */
  readonly storeOf?: (clusterId: string) => ObjectStore | undefined;
  /** One was opened, or closed. */
  readonly onPortForward?: (change: 1 | -1) => void;
}

export function fakeApiServer({
  name,
  clock,
  reach,
  storeOf = () => undefined,
  onPortForward = () => undefined,
}: FakeApiServerOptions): FakeApiServer {
  const gate = requestGate(name);
  const store = objectStore(clock);
  const tokens = tokenAuthority(name, store, clock);
  const istiod = simulatedIstiod(store, clock, reach, storeOf);
  const gateways = simulatedGateways(store);
  const simulated = simulatedProbe({ store, name, storeOf });
  const kinds = servedKinds(store);
  const connected: ConnectedProxy[] = [];
  let skewMs = 0;
  store.onChange(
    whenIdle(() => {
      runControllers(store);
      istiod.settle();
      gateways.settle();
      simulated.settle();
    }),
  );

  function memberApi(process: ProcessFaults): MemberApi {
    async function read<T>(
      verb: Verb,
      what: string,
      signal: AbortSignal | undefined,
      answer: () => T,
      isNew?: boolean,
    ) {
      process.assertAlive();
      await gate.enter(verb, `${verb} ${what}`, signal, isNew);
      process.assertAlive();
      return answer();
    }
    async function write<T>(verb: Verb, what: string, signal: AbortSignal | undefined, effect: () => T) {
      return await read(verb, what, signal, () => process.around(effect));
    }
    /** About objects of a kind, which the server must serve. */
    async function about<T>(
      through: typeof write,
      verb: Verb,
      { kind, name: one }: { readonly kind: string; readonly name?: string },
      signal: AbortSignal | undefined,
      answer: () => T,
    ) {
      return await through(verb, one === undefined ? kind : `${kind} ${one}`, signal, () => {
        kinds.assertServed(kind, `${verb} ${kind}`);
        return answer();
      });
    }
    /** To a pod: open from the first question on that keeps it, until it is closed. */
    function forward(pod: string, namespace?: string) {
      const turn = turns(onPortForward);
      const look = async <T>(signal: AbortSignal | undefined, answer: () => T, isNew?: boolean) => {
        const whenThere = () => {
          if (!hasPod(store, pod, namespace)) throw notFound(`port-forward to ${pod}`);
          return answer();
        };
        return await read("portForward", pod, signal, whenThere, isNew);
      };
      const keep = async <T>(signal: AbortSignal | undefined, answer: () => T) => {
        turn(true);
        return await look(signal, answer);
      };
      return { look, turn, keep, close: () => void turn(false) };
    }
    const probe: IstiodProbe = {
      open(pod) {
        const { look, turn, keep, close } = forward(pod);
        return {
          // The connection of this question is kept for the next; that of the other ends with its answer.
          remoteClusters: (signal) => keep(signal, () => istiod.remoteClusters()),
          async networkGateways(signal) {
            const isNew = turn(true);
            return await look(signal, () => istiod.networkGateways(), isNew);
          },
          async connectedProxies(signal) {
            const isNew = turn(true);
            return await look(signal, () => connected, isNew);
          },
          async servedChain(signal) {
            onPortForward(1);
            return await look(signal, () => istiod.servedChain()).finally(() => onPortForward(-1));
          },
          close,
        };
      },
    };
    return {
      reader: {
        get: (ref, signal) => about(read, "get", ref, signal, () => store.get(ref)),
        list: (query, signal) =>
          about(read, "list", { kind: query.kind }, signal, () => listAs(store, query)),
        async until(query, done, signal) {
          await read("watch", query.kind, signal, () => undefined).catch(unlessAborted(signal));
          return await watch({ store, query, done, signal, check: () => process.assertAlive() });
        },
      },
      writer: {
        create: (object, signal) =>
          about(write, "create", { kind: object.kind }, signal, () => store.create(object)),
        replace: (object, signal) =>
          about(write, "replace", { kind: object.kind }, signal, () => store.replace(object)),
        apply: (object, { force = false, dryRun = false, signal } = {}) =>
          about(dryRun ? read : write, "apply", { kind: object.kind }, signal, () => {
            assertAdmitted(store, object);
            return store.apply(object, { force, dryRun });
          }),
        delete: (ref, uid, signal) =>
          about(write, "delete", { kind: ref.kind }, signal, () => store.delete(ref, uid)),
      },
      tokens: {
        request: (boundTo, ttlSeconds, signal) =>
          write("tokenRequest", boundTo.name, signal, () => tokens.grant(boundTo, ttlSeconds)),
        isAccepted: (token, signal) => read("tokenReview", "a token", signal, () => tokens.accepts(token)),
      },
      istiod: probe,
      probe: {
        open(pod) {
          const { keep, close } = forward(pod, PROBE_NAMESPACE);
          return {
            ask: (targets, signal) =>
              keep(signal, () => new Map(targets.map((target) => [target, simulated.ask(target)]))),
            endpoints: (target, signal) => keep(signal, () => simulated.endpoints(target)),
            close,
          };
        },
      },
      access: {
        isAllowed: (permission, signal) =>
          read(
            "accessReview",
            permission.resource,
            signal,
            () => !gate.faults.forbidden.includes(verbOf(permission)),
          ),
        userName: (signal) => read("accessReview", "the caller", signal, () => CALLER),
        serverTime: (signal) =>
          read("accessReview", "the version", signal, () => wholeSeconds(clock.now(), skewMs)),
      },
    };
  }

  return {
    memberApi,
    store,
    faults: gate.faults,
    kinds,
    requests: gate,
    istiod: istiod.behaviour,
    gateways: gateways.behaviour,
    settleGateways: () => gateways.settle(),
    probe: simulated.behaviour,
    settleProbe: () => simulated.settle(),
    loadedCacerts: () => istiod.loadedCacerts(),
    remoteClusters: () => istiod.remoteClusters(),
    connected,
    wakeIstiod: () => istiod.settle(),
    accepts: (token) => !gate.faults.unreachable && tokens.accepts(token),
    capTokens(seconds) {
      tokens.maxTtl = seconds;
    },
    skewClock(seconds) {
      skewMs = seconds * 1000;
    },
  };
}

/** Tells of each change between open and closed, and answers whether it was one. */
function turns(onChange: (change: 1 | -1) => void): (open: boolean) => boolean {
  let isOpen = false;
  return (open) => {
    const isChange = isOpen !== open;
    if (isChange) onChange(open ? 1 : -1);
    isOpen = open;
    return isChange;
  };
}

const VERBS: Readonly<Record<string, Verb>> = {
  get: "get",
  list: "list",
  watch: "watch",
  create: "create",
  update: "replace",
  patch: "apply",
  delete: "delete",
};

/** The request that a permission is for; one that no request is for goes with writing. */
function verbOf({ verb, resource }: Permission): Verb {
  if (resource === "serviceaccounts/token") return "tokenRequest";
  if (resource === "tokenreviews") return "tokenReview";
  return resource === "pods/portforward" ? "portForward" : (VERBS[verb] ?? "apply");
}

function wholeSeconds(now: Date, skewMs: number): Date {
  return new Date(Math.floor((now.getTime() + skewMs) / 1000) * 1000);
}

/** What it does may cause what it is called for. */
function whenIdle(act: () => void): () => void {
  let busy = false;
  let again = false;
  return () => {
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        act();
      }
    } finally {
      busy = false;
    }
  };
}

function listAs(store: ObjectStore, query: ObjectQuery): KubernetesObject[] {
  const found = store.list(query);
  if (query.metadataOnly !== true) return found;
  return found.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }));
}

function hasPod(store: ObjectStore, name: string, namespace = "istio-system"): boolean {
  return store.get({ apiVersion: "v1", kind: "Pod", namespace, name }) !== undefined;
}

/** A watch that is given up is no error. */
function unlessAborted(signal: AbortSignal) {
  return (error: unknown) => {
    if (!signal.aborted) throw error;
  };
}

interface Watch {
  readonly store: ObjectStore;
  readonly query: ObjectQuery;
  readonly done: (objects: readonly KubernetesObject[]) => boolean;
  readonly signal: AbortSignal;
  readonly check: () => void;
}

async function watch({ store, query, done, signal, check }: Watch): Promise<readonly KubernetesObject[]> {
  let wake: () => void = () => undefined;
  const forget = store.onChange(() => wake());
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const seen = listAs(store, query);
      if (signal.aborted || done(seen)) return seen;
      await changed;
      await nextTurn();
      check();
    }
  } finally {
    forget();
    signal.removeEventListener("abort", onAbort);
  }
}
