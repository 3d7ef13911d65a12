import { type Finding, finding } from "../core/answers/finding.ts";
import type { Write } from "../core/answers/plan.ts";
import type { ClusterRef } from "../core/cluster/cluster.ts";
import { endpointDigest } from "../core/cluster/endpoint-digest.ts";
import { peerEndpoint } from "../core/cluster/endpoints.ts";
import { kubectlOn, typedName } from "../core/cluster/gcloud.ts";
import type { Member, Reachable, ReaderSecretState, RemoteSecretState } from "../core/member/observation.ts";
import { isReachable } from "../core/member/observation.ts";
import { renewalsARun, tokenExpiring } from "../core/member/token-life.ts";
import { ISTIO_NAMESPACE, clusterId as idOf, readerSecretName, remoteSecretName } from "../core/names.ts";
import { type Connect, secretName, type Withdraw } from "./action.ts";
import type { PairContext } from "./context.ts";
import { drained } from "./drains.ts";
import { gatewaysOf } from "./networks.ts";
import { type Route, routeBetween, whatToSee } from "./route.ts";
import { isComplete } from "./standing.ts";
import { whyConnect } from "./why-remote-secret.ts";

/**
 * How a directed pair stands: `current` (the remote secret is as it should be), `connect` (the run writes it
 * now), `pending` (one side is not ready; it will look for itself), `excluded` (no route, or a foreign remote
 * secret), `blocked` (a person must act). In every standing Meshjoin renews the token in its own remote
 * secret while istiod reads it and the target answers.
 */
export type PairStanding = "current" | "connect" | "pending" | "excluded" | "blocked";

export interface PairPlan {
  readonly reader: string;
  readonly target: string;
  /** For commands about the reader. */
  readonly readerRef: ClusterRef;
  readonly standing: PairStanding;
  /** The two have no route, so they are no pair. */
  readonly isApart?: true;
  /** The pair that there is goes on all the same, through a gateway that should not be there any more. */
  readonly isCarried?: true;
  /** The target is drained, so the reader should have no remote secret for it. */
  readonly isDrained?: true;
  /** The drain of the target is over, and the reader takes it back when it has its turn. */
  readonly isReturning?: true;
  /** No gateway of the target's network is up, so the pair has to wait. */
  readonly isClosed?: true;
  readonly action?: Connect;
  /** The remote secret goes, because no gateway leads to the target. */
  readonly withdrawal?: Withdraw;
  /** Of the token that the reader has now. */
  readonly tokenExpiresAt?: Date;
  /** The token is near its end, and earlier runs did not renew it; this run may. */
  readonly expiring?: Finding;
  readonly findings: readonly Finding[];
}

/**
 * What these readers read, and no gateway leads to any more. Its remote secrets go before that of whoever
 * carried it: without a gateway the readers' istiods would hand out addresses of pods that they cannot reach.
 */
export function plansWithoutGateway(readers: ReadonlySet<string>, context: PairContext): PairPlan[] {
  return planPairs(readers, context).filter(
    ({ reader, isClosed, withdrawal }) =>
      readers.has(reader) && isClosed === true && withdrawal !== undefined,
  );
}

/** Those of them that a gateway would lead to, if nobody were drained. */
export function plansCarriedByDrained(readers: ReadonlySet<string>, context: PairContext): PairPlan[] {
  const keyOf = ({ reader, target }: PairPlan) => `${reader} ${target}`;
  const before = new Set(plansWithoutGateway(readers, { ...context, drains: NOBODY_DRAINED }).map(keyOf));
  return plansWithoutGateway(readers, context).filter((plan) => !before.has(keyOf(plan)));
}

const NOBODY_DRAINED: PairContext["drains"] = {
  of: () => ({ state: "none" }),
  isDrained: () => false,
  mass: undefined,
};

/** Round two of design rule 2: every ordered pair that a subject takes part in, sorted. */
export function planPairs(subjects: ReadonlySet<string>, context: PairContext): PairPlan[] {
  const sorted = context.members
    .toSorted((a, b) => compare(a.clusterId, b.clusterId))
    .map((member) => sideOf(member, context));
  return sorted.flatMap((reader) => {
    const plans = sorted.flatMap((target) =>
      reader !== target && (subjects.has(reader.clusterId) || subjects.has(target.clusterId))
        ? [planPair(reader, target, context)]
        : [],
    );
    return inTurn(plans, reader.renewalLimit);
  });
}

/** A member as a side of all its pairs, with the values that each of them needs. */
interface Side {
  readonly member: Member;
  readonly clusterId: string;
  /** As a target: the digest of its endpoint, or why readers cannot reach it. */
  readonly address: { readonly digest: string } | { readonly finding: Finding };
  readonly names: { readonly remoteSecret: string; readonly readerSecret: string };
  /** As a reader, for its targets. */
  readonly remoteSecrets: PeerSecrets<RemoteSecretState>;
  /** As a target, for its readers. */
  readonly readerSecrets: PeerSecrets<ReaderSecretState>;
  /** As a reader: how many tokens with time one run renews. */
  readonly renewalLimit: number;
}

function sideOf(member: Member, { spec }: PairContext): Side {
  const { clusterId, cluster } = member;
  const { remoteSecrets, readerSecrets } = isReachable(member) ? member.state : NOTHING_SEEN;
  const choice = peerEndpoint(cluster, spec.accessPeers, clusterId);
  return {
    member,
    clusterId,
    address: "finding" in choice ? choice : { digest: endpointDigest(choice.endpoint) },
    names: { remoteSecret: remoteSecretName(clusterId), readerSecret: readerSecretName(clusterId) },
    remoteSecrets: peerSecrets(remoteSecrets, ({ targetId }) => targetId, remoteSecretName),
    readerSecrets: peerSecrets(readerSecrets, ({ readerId }) => readerId, readerSecretName),
    renewalLimit: renewalsARun(remoteSecrets),
  };
}

const NOTHING_SEEN: Pick<Reachable, "remoteSecrets" | "readerSecrets"> = {
  remoteSecrets: [],
  readerSecrets: [],
};

/** Secrets of a member for its peers. */
interface PeerSecrets<T> {
  /** Those with the name that Meshjoin gives them, by the peer's cluster ID. */
  readonly named: ReadonlyMap<string, T>;
  /** Those of another name; rare. */
  readonly odd: readonly T[];
  readonly peerOf: (secret: T) => string;
  readonly nameOf: (peer: string) => string;
}

function peerSecrets<T extends { readonly name: string }>(
  all: readonly T[],
  peerOf: (secret: T) => string,
  nameOf: (peer: string) => string,
): PeerSecrets<T> {
  const isNamed = (secret: T) => secret.name === nameOf(peerOf(secret));
  const named = new Map(all.flatMap((secret) => (isNamed(secret) ? [[peerOf(secret), secret]] : [])));
  return { named, odd: all.filter((secret) => !isNamed(secret)), peerOf, nameOf };
}

/** The Secrets for the peer, and any Secret with the name of one for it. */
function secretsFor<T extends { readonly name: string }>(
  { named, odd, peerOf, nameOf }: PeerSecrets<T>,
  peer: string,
): readonly T[] {
  const own = named.get(peer);
  const others = odd.filter((secret) => peerOf(secret) === peer || secret.name === nameOf(peer));
  return own === undefined ? others : [own, ...others];
}

/** Of a reader's renewals that have time, the first to end are due in this run. The rest are the reserve. */
function inTurn(plans: readonly PairPlan[], limit: number): PairPlan[] {
  const due = plans.filter(({ action }) => action?.urgency === "due").toSorted(byExpiry);
  const reserve = new Set(due.slice(limit));
  return plans.map((plan) => {
    if (plan.action === undefined || !reserve.has(plan)) return plan;
    const standing = plan.standing === "connect" ? "current" : plan.standing;
    return { ...plan, standing, action: { ...plan.action, urgency: "reserve" } };
  });
}

/** One reader's renewals: a run tries the plans one after the other until `few` have succeeded. */
export interface Turns {
  readonly plans: readonly PairPlan[];
  readonly few: number;
}

/** By reader: the renewals that have time, the first to end first. */
export function turnsOf(plans: readonly PairPlan[]): ReadonlyMap<string, Turns> {
  const waiting = plans.filter(({ action }) => action?.urgency === "due" || action?.urgency === "reserve");
  const byReader = Map.groupBy(waiting, ({ reader }) => reader);
  return new Map(
    [...byReader].map(([reader, own]) => [
      reader,
      {
        plans: own.toSorted(byExpiry),
        few: own.filter(({ action }) => action?.urgency === "due").length,
      },
    ]),
  );
}

function byExpiry(a: PairPlan, b: PairPlan): number {
  return expiry(a) - expiry(b);
}

function expiry({ tokenExpiresAt }: PairPlan): number {
  return tokenExpiresAt?.getTime() ?? 0;
}

/** One direction of a pair, with the Secrets of either side for the other. */
interface Pair {
  readonly reader: Side;
  readonly target: Side;
  readonly remoteSecrets: readonly RemoteSecretState[];
  readonly readerSecrets: readonly ReaderSecretState[];
  /** The remote secret that Meshjoin keeps. */
  readonly own: RemoteSecretState | undefined;
}

function pairOf(reader: Side, target: Side): Pair {
  const remoteSecrets = secretsFor(reader.remoteSecrets, target.clusterId);
  const readerSecrets = secretsFor(target.readerSecrets, reader.clusterId);
  const own = remoteSecrets.find(({ owner, name }) => owner === "ours" && name === target.names.remoteSecret);
  return { reader, target, remoteSecrets, readerSecrets, own };
}

function planPair(reader: Side, target: Side, context: PairContext): PairPlan {
  const pair = pairOf(reader, target);
  const existing = pair.own ?? pair.remoteSecrets[0];
  const expiring = existing && tokenExpiring(existing, reader.clusterId, target.clusterId, context.now);
  const plan = planWriting(pair, context);
  return {
    reader: reader.clusterId,
    target: target.clusterId,
    readerRef: reader.member.cluster.ref,
    ...plan,
    ...(existing?.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: existing.tokenExpiresAt }),
    ...(expiring === undefined ? {} : { expiring }),
  };
}

type Writing = Pick<
  PairPlan,
  | "standing"
  | "isApart"
  | "isCarried"
  | "isClosed"
  | "isDrained"
  | "isReturning"
  | "action"
  | "withdrawal"
  | "findings"
>;

function planWriting(pair: Pair, context: PairContext): Writing {
  const { reader, target } = pair;
  const drain = context.drains.of(target.clusterId);
  if (drain.state === "drained")
    return withoutRequests(pair, drained(target.member, drain.note, context.spec));
  const route = routeBetween(reader.member, target.member, context);
  if (route.kind === "none" || route.kind === "pending") return withoutRoute(pair, route, context);
  if (!isReachable(reader.member) || !isReachable(target.member))
    return { standing: "pending", findings: [] };
  const { address } = target;
  if ("finding" in address) return { standing: "blocked", findings: [address.finding] };
  const foreign = foreignSecret(pair);
  if (foreign !== undefined) return { ...foreign, ...renewal(pair, context) };
  const action = planConnect(pair, address.digest, context);
  if (action === undefined) return CURRENT;
  const isAbsent = pair.own?.isRead !== true;
  // Perhaps it was drained.
  if (isAbsent && drain.state === "unknown") return { standing: "pending", findings: [] };
  const returning = isAbsent && drain.state === "serving" ? ({ isReturning: true } as const) : {};
  return { standing: "connect", ...returning, action, findings: [] };
}

/**
 * The reader loses its remote secret of the drained target, and needs no answer of the target for that. One
 * that is not Meshjoin's stays, and with it the requests.
 */
function withoutRequests(pair: Pair, because: Finding): Writing {
  const { reader, target, remoteSecrets } = pair;
  const absent = { standing: "excluded", isDrained: true } as const;
  if (!isReachable(reader.member))
    return { ...absent, findings: [because, drainIncomplete(reader.clusterId, target.clusterId)] };
  const foreign = remoteSecrets.find(({ owner, isRead }) => owner !== "ours" && isRead);
  const kept = foreign && foreignRemoteSecret(reader.member.cluster.ref, target.clusterId, foreign);
  const withdrawal = withdraw(pair, because);
  return {
    ...absent,
    ...(withdrawal === undefined ? {} : { withdrawal }),
    findings: [because, ...[kept ?? []].flat()],
  };
}

function drainIncomplete(reader: string, target: string): Finding {
  return finding(
    "DrainIncomplete",
    `${reader} cannot be reached, so it may still hold a remote secret of ${target} and send it requests`,
    "nothing, if it passes: the next full run that reaches it takes the remote secret away",
    reader,
  );
}

type NoRoute = Extract<Route, { readonly kind: "pending" | "none" }>;

function withoutRoute(
  pair: Pair,
  { kind, finding: because, network, isClosed = false, isCarried = false }: NoRoute,
  context: PairContext,
): Writing {
  const lost = isClosed ? withdraw(pair, gatewayLost(pair, network)) : ended(pair, kind, context);
  const isLost = isClosed && (pair.own?.isRead === true || wasMade(pair));
  const findings = [isLost ? gatewayLost(pair, network) : because];
  const closed = isClosed ? ({ isClosed } as const) : {};
  const apart = kind === "none" ? ({ isApart: true } as const) : {};
  if (lost !== undefined) return { standing: "pending", ...apart, ...closed, withdrawal: lost, findings };
  const renewed = renewal(pair, context);
  const carried = isCarried && pair.own?.isRead === true ? ({ isCarried } as const) : {};
  if (kind === "none") return { standing: "excluded", ...apart, ...carried, findings, ...renewed };
  return { standing: "pending", ...closed, findings, ...renewed };
}

/** The target has a reader Secret for this very reader, which the first remote secret needed. */
function wasMade({ reader, readerSecrets }: Pair): boolean {
  const { id } = reader.member.cluster;
  return readerSecrets.some(({ owner, readerGkeId }) => owner === "ours" && readerGkeId === id);
}

/** An error for as long as the pair is not made again, not only in the run that takes it apart. */
function gatewayLost({ reader: { clusterId }, target }: Pair, network = target.member.network): Finding {
  return finding(
    "GatewayLost",
    `no gateway of network ${network} is up, so ${clusterId} has no remote secret of ${target.clusterId} until one is: with it, its workloads would get addresses that they cannot reach`,
    `see why: ${whatToSee(target.member, network)}; Meshjoin makes the pair again when a gateway is up`,
    target.clusterId,
  );
}

/**
 * A pair that only a gateway carries that should not be there, once a person has confirmed its end. The
 * gateway goes when no member reads the cluster any more.
 */
function ended(pair: Pair, kind: NoRoute["kind"], { confirm }: PairContext): Withdraw | undefined {
  const { reader, target } = pair;
  const isNear = reader.member.network === target.member.network;
  if (kind !== "none" || isNear || !confirm.includes("GatewayInUse")) return undefined;
  const cause = finding(
    "GatewayInUse",
    `${reader.clusterId} loses its remote secret of ${target.clusterId}: by label or configuration no gateway is to lead there, and a person has confirmed the end of such pairs`,
    "nothing: the gateway goes when no member uses it",
    target.clusterId,
  );
  return withdraw(pair, cause);
}

/** Undefined where istiod reads no remote secret of Meshjoin's for the target. */
function withdraw({ reader, target, own }: Pair, cause: Finding): Withdraw | undefined {
  if (own?.isRead !== true) return undefined;
  const { clusterId } = reader;
  const { name, uid } = own;
  return {
    kind: "withdraw",
    verb: "delete",
    clusterId,
    target: target.clusterId,
    isCarrier: (gatewaysOf(target.member) ?? []).some(({ addresses }) => addresses.length > 0),
    secret: { name, uid },
    writes: [{ verb: "delete", clusterId, object: secretName(name) }],
    findings: [cause],
  };
}

const CURRENT: Writing = { standing: "current", findings: [] };

/**
 * Renews the token in Meshjoin's remote secret where Meshjoin would make no new one now: istiod reads it, so
 * the token must live as long as the target answers. Only for the cluster that it was made for, not for
 * another one of the name. On the target it writes only if everything was applied there once: a run that is
 * not about the target does not know whether it may write to it.
 */
function renewal(pair: Pair, context: PairContext): Pick<PairPlan, "action"> {
  const { reader, target, own } = pair;
  const { address } = target;
  const isUsed = own?.isRead === true && own.targetGkeId === target.member.cluster.id;
  if (!isUsed || "finding" in address || readerSecretInTheWay(pair) !== undefined) return {};
  if (!isReachable(reader.member) || !isReachable(target.member)) return {};
  if (!isComplete(reader.member, context)) return {};
  const action = planConnect(pair, address.digest, context);
  if (action === undefined) return {};
  const mayWrite = isComplete(target.member, context) || context.standings.get(target.clusterId) === "down";
  return mayWrite || action.writes.every(({ clusterId }) => clusterId === reader.clusterId) ? { action } : {};
}

function planConnect(pair: Pair, digest: string, { now }: PairContext): Connect | undefined {
  const { reader, target, own: existing, readerSecrets } = pair;
  const cause = whyConnect({
    existing,
    readerSecret: readerSecrets.find(({ readerId }) => readerId === reader.clusterId),
    digest,
    network: target.member.network,
    reader: reader.member.cluster,
    target: target.member.cluster,
    ids: { reader: reader.clusterId, target: target.clusterId },
    now,
  });
  if (cause === undefined) return undefined;
  return {
    kind: "connect",
    verb: existing === undefined ? "create" : "update",
    clusterId: reader.clusterId,
    target: target.clusterId,
    urgency: cause.urgency,
    endpointDigest: digest,
    resourceVersion: existing?.resourceVersion,
    ...(cause.unseen === undefined ? {} : { unseen: cause.unseen }),
    writes: writesOf(pair),
    findings: [cause.finding],
  };
}

/** The remote secret; before it the reader Secret, where the target has none for this very reader. */
function writesOf({ reader, target, readerSecrets, own }: Pair): Write[] {
  const name = reader.names.readerSecret;
  const present = readerSecrets.find((secret) => secret.name === name);
  const isCurrent = present?.readerGkeId === reader.member.cluster.id;
  const onTarget = (verb: Write["verb"]): Write => ({
    verb,
    clusterId: target.clusterId,
    object: secretName(name),
  });
  return [
    ...(present === undefined || isCurrent ? [] : [onTarget("delete")]),
    ...(isCurrent ? [] : [onTarget("create")]),
    {
      verb: own === undefined ? "create" : "update",
      clusterId: reader.clusterId,
      object: secretName(target.names.remoteSecret),
    },
  ];
}

/** The standing if a foreign Secret connects the pair already, or is in its way. */
function foreignSecret(pair: Pair): Writing | undefined {
  const { reader, target, remoteSecrets } = pair;
  const remote = remoteSecrets.find(({ owner }) => owner !== "ours");
  if (remote !== undefined) {
    return {
      standing: remote.isRead ? "excluded" : "blocked",
      findings: [foreignRemoteSecret(reader.member.cluster.ref, target.clusterId, remote)],
    };
  }
  const other = readerSecretInTheWay(pair);
  return (
    other && { standing: "blocked", findings: [foreignReaderSecret(target.member.cluster.ref, other.name)] }
  );
}

function readerSecretInTheWay({ reader, readerSecrets }: Pair): ReaderSecretState | undefined {
  return readerSecrets.find(({ owner, name }) => owner !== "ours" && name === reader.names.readerSecret);
}

export function foreignRemoteSecret(
  ref: ClusterRef,
  target: string,
  { name, isRead }: Pick<RemoteSecretState, "name" | "isRead">,
): Finding {
  const reader = idOf(ref);
  const message = isRead
    ? `Secret ${name} already gives ${reader} access to ${target} and is not Meshjoin's`
    : `Secret ${name} of ${reader} is not Meshjoin's, and istiod ignores it`;
  const cure = `delete it to let Meshjoin keep the pair: ${kubectlOn(ref)} -n ${ISTIO_NAMESPACE} delete secret ${typedName(name)}`;
  return finding("ForeignRemoteSecret", message, cure, reader);
}

function foreignReaderSecret(ref: ClusterRef, name: string): Finding {
  const target = idOf(ref);
  return finding(
    "ForeignReaderSecret",
    `Secret ${name} in ${target} is not Meshjoin's`,
    `delete it: ${kubectlOn(ref)} -n ${ISTIO_NAMESPACE} delete secret ${typedName(name)}`,
    target,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The pair is synced, and its requests get addresses that the reader cannot reach. */
export function gatewayNotListed({ reader, readerRef, target }: PairPlan, network: string): Finding {
  return finding(
    "GatewayNotListed",
    `istiod of ${reader} shows ${target} as synced and knows of no live gateway of its network ${network}`,
    `look at the Services that istiod takes for gateways, and at its log: ${kubectlOn(readerRef)} -n istio-system logs deploy/istiod`,
    reader,
  );
}

/** What the plans say to each reader, by its ID. */
export function findingsByReader(pairs: readonly PairPlan[]): ReadonlyMap<string, readonly Finding[]> {
  const own = Map.groupBy(pairs, ({ reader }) => reader);
  return new Map([...own].map(([id, plans]) => [id, plans.flatMap(({ findings }) => findings)]));
}

/** Of the readers that take one member back when they have their turn. */
export function takeBackLater(remaining: readonly PairPlan[]): Finding {
  const target = remaining[0]?.target ?? "";
  const readers = remaining.map(({ reader }) => reader);
  return finding(
    "ComingBack",
    `the drain of ${target} is over, and ${readers.join(", ")} takes it back when the readers before list it as synced`,
    "nothing: the next run goes on; if it lasts, follow the cures of the other findings",
    target,
  );
}
