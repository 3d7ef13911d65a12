import { setTimeout as sleep } from "node:timers/promises";
import type { ReachableMember } from "../core/member/observation.ts";
import { ISTIO_NAMESPACE, remoteSecretName } from "../core/names.ts";
import { asMeshjoinError, type MeshjoinError, NotReadyError } from "../errors.ts";
import type { IstiodSession, NetworkGateway } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";

/** The state that one member's istiods must show before a join is complete. */
export interface Expectation {
  readonly member: ReachableMember;
  /** Cluster IDs that every pod must list as synced. */
  readonly targets: readonly string[];
  /** Of those targets that are in another network: every pod must know of a gateway there that is live. */
  readonly networks?: ReadonlyMap<string, AwaitedNetwork>;
  /** Targets by cluster ID: every pod must know of a gateway of theirs as described. */
  readonly gateways?: ReadonlyMap<string, AwaitedGateway>;
  /** Cluster IDs that no pod may list any more. */
  readonly absent?: readonly string[];
  /** Fingerprint of the intermediate that every pod must serve; undefined if an earlier run saw it. */
  readonly intermediate: string | undefined;
}

/** The network of a target, which another member's gateway may lead into as well. */
export interface AwaitedNetwork {
  readonly network: string;
  /** Of its gateways that are up: only these count. Undefined where they are not known: then any counts. */
  readonly addresses: ReadonlySet<string> | undefined;
}

/** Found in the target's own cluster. */
export interface AwaitedGateway {
  readonly network: string;
  /** Addresses of another gateway of the cluster: none of these counts. */
  readonly besides: readonly string[];
  /** None of them may be listed any more. */
  readonly isAlone?: boolean;
}

/** The last look, after all was as expected or the time was up. */
export interface Evidence {
  readonly clusterId: string;
  /** Targets that not every pod lists as synced, with the status that the first such pod reported. */
  readonly unsynced: ReadonlyMap<string, string>;
  /**
   * Targets that every pod lists as synced, while one knows of no live gateway of their network, or not of
   * that which was awaited; with the network.
   */
  readonly withoutGateway: ReadonlyMap<string, string>;
  /** Cluster IDs that a pod still lists and should not. */
  readonly lingering: readonly string[];
  /** Targets that a pod reads by another Secret than Meshjoin's, with that Secret's name. */
  readonly heldBy: ReadonlyMap<string, string>;
  /** Whether every pod serves the expected intermediate; true where none was expected. */
  readonly loaded: boolean;
  /** Set if the last look could not ask istiod: then the other fields mean "unknown". */
  readonly error?: MeshjoinError;
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2000;

/**
 * Looks at one member's istiods until they show the expected state or refuse to be asked, with backoff, as
 * long as the signal allows. Between two looks other members have their turn. Never fails.
 */
export async function verifyMember(
  ports: Ports,
  expectation: Expectation,
  signal: AbortSignal,
): Promise<Evidence> {
  const { member } = expectation;
  const api = ports.fleet.member(member.cluster);
  const sessions = member.state.pods.map((pod) => api.istiod.open(pod));
  let evidence = unknown(expectation, expectation.intermediate === undefined, notAsked(member.clusterId));
  try {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 1.5, MAX_PAUSE_MS)) {
      evidence = await look(expectation, sessions, evidence.loaded, signal);
      if (isAsExpected(evidence)) break;
      if (evidence.error?.retryable === false) break;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    return evidence;
  } finally {
    for (const session of sessions) session.close();
  }
}

function isAsExpected({ unsynced, withoutGateway, lingering, loaded }: Evidence): boolean {
  return unsynced.size === 0 && withoutGateway.size === 0 && lingering.length === 0 && loaded;
}

async function look(
  expectation: Expectation,
  sessions: readonly IstiodSession[],
  wasLoaded: boolean,
  signal: AbortSignal,
): Promise<Evidence> {
  const { member, targets, networks = NONE, gateways = NONE, absent = [], intermediate } = expectation;
  const { clusterId } = member;
  const mustServe = wasLoaded ? undefined : intermediate;
  try {
    const [answers, chains] = await Promise.all([
      targets.length + absent.length === 0
        ? []
        : Promise.all(sessions.map((session) => askOne(session, networks.size + gateways.size > 0, signal))),
      mustServe === undefined ? [] : Promise.all(sessions.map((session) => session.servedChain(signal))),
    ]);
    const views = answers.map(({ clusters }) => clusters);
    const unsynced = new Map<string, string>();
    const heldBy = new Map<string, string>();
    for (const target of targets) {
      const rows = views.map((view) => view.find((cluster) => cluster.clusterId === target));
      const holder = rows.find((row) => row !== undefined && row.secretName !== secretNameOf(target));
      const other = rows.find((row) => row?.status !== "synced");
      if (holder !== undefined) heldBy.set(target, holder.secretName);
      else if (rows.includes(other)) unsynced.set(target, other?.status ?? "missing");
    }
    const lacks = (isAwaited: (gateway: NetworkGateway) => boolean) =>
      answers.some(({ known }) => !known.some(isAwaited));
    const withoutGateway = new Map([
      ...[...networks].flatMap(([target, awaited]) =>
        answers.every(({ known }) => isLiveGatewayListed(target, awaited, known))
          ? []
          : [[target, awaited.network] as const],
      ),
      ...[...gateways].flatMap(([target, awaited]) =>
        lacks((each) => each.clusterId === target && isSuch(each, awaited)) ||
        answers.some(
          ({ known }) => awaited.isAlone === true && known.some((each) => isBeside(each, target, awaited)),
        )
          ? [[target, awaited.network] as const]
          : [],
      ),
    ]);
    for (const target of unsynced.keys()) withoutGateway.delete(target);
    const lingering = absent.filter((id) => views.some((view) => view.some((row) => row.clusterId === id)));
    const loaded = mustServe === undefined || chains.every((chain) => chain.includes(mustServe));
    return { clusterId, unsynced, withoutGateway, lingering, heldBy, loaded };
  } catch (error) {
    const reason = asMeshjoinError(error, clusterId, "its istiod was asked for its state");
    return unknown(expectation, wasLoaded, reason);
  }
}

/** Whether istiod hands out a gateway that is up for the target, by what it knows of all gateways. */
export function isLiveGatewayListed(
  target: string,
  awaited: AwaitedNetwork,
  known: readonly NetworkGateway[],
): boolean {
  return usedFor(target, awaited, known).some((each) => isLive(each, awaited));
}

/**
 * The gateways that istiod hands out for the target: those that it found in the target's cluster, else all of
 * the network; Istio `pilot/pkg/xds/endpoints/ep_filters.go`. It keeps one whose load balancer has lost its
 * address, and takes any that a Gateway of class `istio-remote` in its own cluster names.
 */
function usedFor(
  target: string,
  { network }: AwaitedNetwork,
  known: readonly NetworkGateway[],
): readonly NetworkGateway[] {
  const ofNetwork = known.filter((each) => each.network === network);
  const own = ofNetwork.filter(({ clusterId }) => clusterId === target);
  return own.length > 0 ? own : ofNetwork;
}

function isLive({ address }: NetworkGateway, { addresses }: AwaitedNetwork): boolean {
  return addresses?.has(address) ?? true;
}

function isSuch({ network, address }: NetworkGateway, awaited: AwaitedGateway): boolean {
  return network === awaited.network && !awaited.besides.includes(address);
}

function isBeside(
  { clusterId, address }: NetworkGateway,
  target: string,
  { besides }: AwaitedGateway,
): boolean {
  return clusterId === target && besides.includes(address);
}

/** One question after the other, over one port-forward. */
async function askOne(session: IstiodSession, hasNetworks: boolean, signal: AbortSignal) {
  const clusters = await session.remoteClusters(signal);
  return { clusters, known: hasNetworks ? await session.networkGateways(signal) : [] };
}

/** The evidence of an istiod that could not be asked. */
function unknown(
  { member, targets, absent = [] }: Expectation,
  loaded: boolean,
  error: MeshjoinError,
): Evidence {
  return {
    clusterId: member.clusterId,
    unsynced: new Map(targets.map((target) => [target, "unknown"])),
    withoutGateway: NONE,
    lingering: absent,
    heldBy: new Map(),
    loaded,
    error,
  };
}

function notAsked(clusterId: string): NotReadyError {
  return new NotReadyError(`the time was over before istiod of ${clusterId} was asked`, {
    code: "IstiodNotAsked",
    fields: { clusterId },
  });
}

/** `namespace/name`, as istiod reports it. */
function secretNameOf(target: string): string {
  return `${ISTIO_NAMESPACE}/${remoteSecretName(target)}`;
}
