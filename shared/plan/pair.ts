import { endpointDigest } from "../core/endpoint-digest.ts";
import { peerEndpoint } from "../core/endpoints.ts";
import { type Finding, finding } from "../core/finding.ts";
import { ISTIO_NAMESPACE, readerSecretName, remoteSecretName } from "../core/names.ts";
import type { Member, Reachable, ReaderSecretState, RemoteSecretState } from "../core/observation.ts";
import { isReachable } from "../core/observation.ts";
import type { Write } from "../core/plan.ts";
import { renewalsARun, tokenExpiring } from "../core/token-life.ts";
import { type Connect, secretName } from "./action.ts";
import { whyConnect } from "./connect-causes.ts";
import type { PairContext } from "./context.ts";
import { isComplete, routeBetween } from "./route.ts";

/**
 * How a directed pair stands: `current` (the remote secret is as it should be), `connect` (it is written now),
 * `pending` (one side is not ready; it will look for itself), `excluded` (not to be paired, or kept by somebody
 * else), `blocked` (somebody must act). Whatever it is, a remote secret of ours that istiod reads has its token renewed as long as
 * the target lives.
 */
export type PairStanding = "current" | "connect" | "pending" | "excluded" | "blocked";

export interface PairPlan {
  readonly reader: string;
  readonly target: string;
  readonly standing: PairStanding;
  /** There is no route between the two, so they are no pair. */
  readonly isApart?: true;
  readonly action?: Connect;
  /** Of the token that the reader has now. */
  readonly tokenExpiresAt?: Date;
  /** That token should have been renewed long ago; whether it is this time is for the run to see. */
  readonly expiring?: Finding;
  readonly findings: readonly Finding[];
}

/** Round two of design rule 2: every ordered pair that a subject takes part in, sorted. */
export function planPairs(
  members: readonly Member[],
  subjects: ReadonlySet<string>,
  context: PairContext,
): PairPlan[] {
  const sorted = members
    .toSorted((a, b) => compare(a.clusterId, b.clusterId))
    .map((member) => sideOf(member, context));
  return sorted.flatMap((reader) => {
    const plans = sorted.flatMap((target) =>
      reader !== target && (subjects.has(reader.clusterId) || subjects.has(target.clusterId))
        ? [planPair(reader, target, context)]
        : [],
    );
    return inTurn(plans, reader.few);
  });
}

/** A member as a side of all its pairs: what is looked up for each of them. */
interface Side {
  readonly member: Member;
  readonly clusterId: string;
  /** As a target: where its readers reach it, or why they cannot. */
  readonly address: { readonly digest: string } | { readonly finding: Finding };
  readonly names: { readonly remoteSecret: string; readonly readerSecret: string };
  /** As a reader, for its targets. */
  readonly remoteSecrets: Held<RemoteSecretState>;
  /** As a target, for its readers. */
  readonly readerSecrets: Held<ReaderSecretState>;
  /** Renewals in one run. */
  readonly few: number;
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
    remoteSecrets: heldBy(remoteSecrets, ({ targetId }) => targetId, remoteSecretName),
    readerSecrets: heldBy(readerSecrets, ({ readerId }) => readerId, readerSecretName),
    few: renewalsARun(remoteSecrets),
  };
}

const NOTHING_SEEN: Pick<Reachable, "remoteSecrets" | "readerSecrets"> = {
  remoteSecrets: [],
  readerSecrets: [],
};

/** Secrets of a member for its peers. */
interface Held<T> {
  /** Those named after the peer that they are for, by its cluster ID. */
  readonly named: ReadonlyMap<string, T>;
  /** Of another name; hardly ever any. */
  readonly odd: readonly T[];
  readonly peerOf: (secret: T) => string;
  readonly nameOf: (peer: string) => string;
}

function heldBy<T extends { readonly name: string }>(
  all: readonly T[],
  peerOf: (secret: T) => string,
  nameOf: (peer: string) => string,
): Held<T> {
  const isNamed = (secret: T) => secret.name === nameOf(peerOf(secret));
  const named = new Map(all.flatMap((secret) => (isNamed(secret) ? [[peerOf(secret), secret]] : [])));
  return { named, odd: all.filter((secret) => !isNamed(secret)), peerOf, nameOf };
}

/** Those that are for the peer, and the one that has the name of one for it. */
function heldFor<T extends { readonly name: string }>(
  { named, odd, peerOf, nameOf }: Held<T>,
  peer: string,
): readonly T[] {
  const own = named.get(peer);
  const others = odd.filter((secret) => peerOf(secret) === peer || secret.name === nameOf(peer));
  return own === undefined ? others : [own, ...others];
}

/** Of the renewals of one reader that have time, those that end first are due in this run; the others stand in for what fails. */
function inTurn(plans: readonly PairPlan[], few: number): PairPlan[] {
  const due = plans.filter(({ action }) => action?.urgency === "due").toSorted(byExpiry);
  const reserve = new Set(due.slice(few));
  return plans.map((plan) => {
    if (plan.action === undefined || !reserve.has(plan)) return plan;
    const standing = plan.standing === "connect" ? "current" : plan.standing;
    return { ...plan, standing, action: { ...plan.action, urgency: "reserve" } };
  });
}

/** What a run tries for a reader, one after the other, and how often it is to succeed. */
export interface Turns {
  readonly plans: readonly PairPlan[];
  readonly few: number;
}

/** By reader: the renewals that have time, in the order of their ends. */
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

/** One direction of a pair, with all that either side holds for the other. */
interface Pair {
  readonly reader: Side;
  readonly target: Side;
  readonly remoteSecrets: readonly RemoteSecretState[];
  readonly readerSecrets: readonly ReaderSecretState[];
  /** The remote secret that Meshjoin keeps. */
  readonly own: RemoteSecretState | undefined;
}

function pairOf(reader: Side, target: Side): Pair {
  const remoteSecrets = heldFor(reader.remoteSecrets, target.clusterId);
  const readerSecrets = heldFor(target.readerSecrets, reader.clusterId);
  const own = remoteSecrets.find(({ owner, name }) => owner === "ours" && name === target.names.remoteSecret);
  return { reader, target, remoteSecrets, readerSecrets, own };
}

/** A token ends whatever keeps the pair from being written. */
function planPair(reader: Side, target: Side, context: PairContext): PairPlan {
  const pair = pairOf(reader, target);
  const existing = pair.own ?? pair.remoteSecrets[0];
  const expiring = existing && tokenExpiring(existing, reader.clusterId, target.clusterId, context.now);
  const plan = planWriting(pair, context);
  return {
    reader: reader.clusterId,
    target: target.clusterId,
    ...plan,
    ...(existing?.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: existing.tokenExpiresAt }),
    ...(expiring === undefined ? {} : { expiring }),
  };
}

type Writing = Pick<PairPlan, "standing" | "isApart" | "action" | "findings">;

function planWriting(pair: Pair, context: PairContext): Writing {
  const { reader, target } = pair;
  const route = routeBetween(reader.member, target.member, context);
  if (route.kind === "none") return { standing: "excluded", isApart: true, findings: [route.finding] };
  if (route.kind === "pending")
    return { standing: "pending", findings: [route.finding], ...renewal(pair, context) };
  if (!isReachable(reader.member) || !isReachable(target.member))
    return { standing: "pending", findings: [] };
  const { address } = target;
  if ("finding" in address) return { standing: "blocked", findings: [address.finding] };
  const foreign = foreignSecret(pair);
  if (foreign !== undefined) return { ...foreign, ...renewal(pair, context) };
  const action = planConnect(pair, address.digest, context);
  if (action === undefined) return CURRENT;
  return { standing: "connect", action, findings: [] };
}

const CURRENT: Writing = { standing: "current", findings: [] };

/**
 * Of a remote secret of ours that istiod reads, where none would be made now: its token is to live as long as the target answers. It
 * stays for the cluster that it was made for; another one of the name is not connected thereby. On the target it writes only where
 * everything was applied once: of any other, a run that is not about it does not know whether it may be written to.
 */
function renewal(pair: Pair, context: PairContext): Pick<PairPlan, "action"> {
  const { reader, target, own } = pair;
  const { address } = target;
  const isKept = own?.isRead === true && own.targetGkeId === target.member.cluster.id;
  if (!isKept || "finding" in address || foreignStandIn(pair) !== undefined) return {};
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
    bound: readerSecrets.find(({ readerId }) => readerId === reader.clusterId),
    digest,
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

/** The remote secret, and first the reader Secret in the target, where there is none or one of an earlier cluster of the name. */
function writesOf({ reader, target, readerSecrets, own }: Pair): Write[] {
  const name = reader.names.readerSecret;
  const bound = readerSecrets.find((secret) => secret.name === name);
  const isOurs = bound?.readerGkeId === reader.member.cluster.id;
  const onTarget = (verb: Write["verb"]): Write => ({
    verb,
    clusterId: target.clusterId,
    object: secretName(name),
  });
  return [
    ...(bound === undefined || isOurs ? [] : [onTarget("delete")]),
    ...(isOurs ? [] : [onTarget("create")]),
    {
      verb: own === undefined ? "create" : "update",
      clusterId: reader.clusterId,
      object: secretName(target.names.remoteSecret),
    },
  ];
}

/** A Secret of somebody else's that keeps the pair, or that is in its way. */
function foreignSecret(pair: Pair): Writing | undefined {
  const { reader, target, remoteSecrets } = pair;
  const remote = remoteSecrets.find(({ owner }) => owner !== "ours");
  if (remote !== undefined) {
    return {
      standing: remote.isRead ? "excluded" : "blocked",
      findings: [foreignRemoteSecret(reader.clusterId, target.clusterId, remote)],
    };
  }
  const standIn = foreignStandIn(pair);
  return standIn && { standing: "blocked", findings: [foreignReaderSecret(target.clusterId, standIn.name)] };
}

function foreignStandIn({ reader, readerSecrets }: Pair): ReaderSecretState | undefined {
  return readerSecrets.find(({ owner, name }) => owner !== "ours" && name === reader.names.readerSecret);
}

/** `isRead`: whether istiod takes notice of it. */
export function foreignRemoteSecret(
  reader: string,
  target: string,
  { name, isRead }: Pick<RemoteSecretState, "name" | "isRead">,
): Finding {
  const what = isRead
    ? `Secret ${name} already gives ${reader} access to ${target} and is not Meshjoin's`
    : `Secret ${name} of ${reader} is not Meshjoin's, and istiod passes it over`;
  const cure = `delete it to let Meshjoin keep the pair: kubectl -n ${ISTIO_NAMESPACE} delete secret ${name}`;
  return finding("ForeignRemoteSecret", what, cure, reader);
}

function foreignReaderSecret(target: string, name: string): Finding {
  return finding(
    "ForeignReaderSecret",
    `Secret ${name} in ${target} is not Meshjoin's`,
    `delete it: kubectl -n ${ISTIO_NAMESPACE} delete secret ${name}`,
    target,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
