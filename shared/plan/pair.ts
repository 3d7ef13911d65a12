import { endpointDigest } from "../core/endpoint-digest.ts";
import { peerEndpoint } from "../core/endpoints.ts";
import { type Finding, finding } from "../core/finding.ts";
import { ISTIO_NAMESPACE, readerSecretName, remoteSecretName } from "../core/names.ts";
import type { Member, Reachable, ReaderSecretState, RemoteSecretState } from "../core/observation.ts";
import { isReachable } from "../core/observation.ts";
import type { Write } from "../core/plan.ts";
import { outOfReach } from "../core/reach.ts";
import { routeBetween } from "../core/route.ts";
import type { MeshSpec } from "../core/spec.ts";
import { renewalsARun, tokenExpiring } from "../core/token-life.ts";
import { type Connect, secretName } from "./action.ts";
import { whyConnect } from "./connect-causes.ts";
import type { Standing } from "./member.ts";

export interface PairContext {
  readonly spec: MeshSpec;
  readonly standings: ReadonlyMap<string, Standing>;
  readonly now: Date;
}

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
  /** As a reader: by the target's cluster ID or the Secret's name. */
  readonly remoteSecrets: ReadonlyMap<string, readonly RemoteSecretState[]>;
  /** As a target: by the reader's cluster ID or the Secret's name. */
  readonly readerSecrets: ReadonlyMap<string, readonly ReaderSecretState[]>;
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
    remoteSecrets: byEither(remoteSecrets, ({ targetId, name }) => [targetId, name]),
    readerSecrets: byEither(readerSecrets, ({ readerId, name }) => [readerId, name]),
    few: renewalsARun(remoteSecrets),
  };
}

const NOTHING_SEEN: Pick<Reachable, "remoteSecrets" | "readerSecrets"> = {
  remoteSecrets: [],
  readerSecrets: [],
};

function byEither<T>(
  all: readonly T[],
  keys: (each: T) => readonly string[],
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const each of all) {
    for (const key of new Set(keys(each))) found.set(key, [...(found.get(key) ?? []), each]);
  }
  return found;
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

/** A token ends whatever keeps the pair from being written. */
function planPair(reader: Side, target: Side, context: PairContext): PairPlan {
  const held = remoteSecretsOf(reader, target);
  const existing = ownOf(target, held) ?? held[0];
  const expiring = existing && tokenExpiring(existing, reader.clusterId, target.clusterId, context.now);
  return {
    ...planWriting(reader, target, held, context),
    ...(existing?.tokenExpiresAt === undefined ? {} : { tokenExpiresAt: existing.tokenExpiresAt }),
    ...(expiring === undefined ? {} : { expiring }),
  };
}

function planWriting(
  reader: Side,
  target: Side,
  held: readonly RemoteSecretState[],
  context: PairContext,
): PairPlan {
  const pair = { reader: reader.clusterId, target: target.clusterId };
  const route = routeBetween(reader.member, target.member);
  if (route.kind === "none")
    return { ...pair, standing: "excluded", isApart: true, findings: [route.finding] };
  const waiting = notComplete(reader.member, context) ?? notComplete(target.member, context);
  if (waiting !== undefined) {
    return { ...pair, standing: "pending", findings: [waiting], ...renewal(reader, target, held, context) };
  }
  if (!isReachable(reader.member) || !isReachable(target.member))
    return { ...pair, standing: "pending", findings: [] };
  const { address } = target;
  if ("finding" in address) return { ...pair, standing: "blocked", findings: [address.finding] };
  const foreign = foreignSecret(reader, target, held);
  if (foreign !== undefined) return { ...pair, ...foreign, ...renewal(reader, target, held, context) };
  const action = planConnect(reader, target, ownOf(target, held), address.digest, context);
  if (action === undefined) return { ...pair, standing: "current", findings: [] };
  return { ...pair, standing: "connect", action, findings: [] };
}

/**
 * Of a remote secret of ours that istiod reads, where none would be made now: its token is to live as long as the target answers. It
 * stays for the cluster that it was made for; another one of the name is not connected thereby.
 */
function renewal(
  reader: Side,
  target: Side,
  held: readonly RemoteSecretState[],
  context: PairContext,
): Pick<PairPlan, "action"> {
  const own = ownOf(target, held);
  const { address } = target;
  const isKept = own?.isRead === true && own.targetGkeId === target.member.cluster.id;
  if (!isKept || "finding" in address || foreignStandIn(reader, target) !== undefined) return {};
  if (!isReachable(reader.member) || !isReachable(target.member)) return {};
  if (context.standings.get(reader.clusterId) !== "complete") return {};
  const action = planConnect(reader, target, own, address.digest, context);
  if (action === undefined) return {};
  const isBlocked = context.standings.get(target.clusterId) === "blocked";
  return isBlocked && action.writes.some(({ clusterId }) => clusterId === target.clusterId) ? {} : { action };
}

function planConnect(
  reader: Side,
  target: Side,
  existing: RemoteSecretState | undefined,
  digest: string,
  { now }: PairContext,
): Connect | undefined {
  const ids = { reader: reader.clusterId, target: target.clusterId };
  const bound = target.readerSecrets
    .get(reader.clusterId)
    ?.find(({ readerId }) => readerId === reader.clusterId);
  const cause = whyConnect({
    existing,
    bound,
    digest,
    reader: reader.member.cluster,
    target: target.member.cluster,
    ids,
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
    writes: writesOf(reader, target, existing),
    findings: [cause.finding],
  };
}

/** The remote secret, and first the reader Secret in the target, where there is none or one of an earlier cluster of the name. */
function writesOf(reader: Side, target: Side, existing: RemoteSecretState | undefined): Write[] {
  const name = reader.names.readerSecret;
  const bound = target.readerSecrets.get(name)?.find((secret) => secret.name === name);
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
      verb: existing === undefined ? "create" : "update",
      clusterId: reader.clusterId,
      object: secretName(target.names.remoteSecret),
    },
  ];
}

function notComplete(member: Member, { standings }: PairContext): Finding | undefined {
  const standing = standings.get(member.clusterId);
  if (standing === "complete") return undefined;
  return (
    outOfReach(member) ??
    finding(
      "PeerPending",
      `${member.clusterId} has not finished its own half`,
      "nothing: it pairs itself when it has",
      member.clusterId,
    )
  );
}

/** By the cluster that they are for, or by the name that one for it has. */
function remoteSecretsOf({ remoteSecrets }: Side, target: Side): readonly RemoteSecretState[] {
  const named = remoteSecrets.get(target.names.remoteSecret) ?? NONE;
  const meant = remoteSecrets.get(target.clusterId) ?? NONE;
  const [only] = named;
  return named.length === 1 && meant.length === 1 && meant[0] === only
    ? named
    : [...new Set([...named, ...meant])];
}

const NONE: readonly RemoteSecretState[] = [];

/** The one that Meshjoin keeps for the target. */
function ownOf({ names }: Side, held: readonly RemoteSecretState[]): RemoteSecretState | undefined {
  return held.find(({ owner, name }) => owner === "ours" && name === names.remoteSecret);
}

/** A Secret of somebody else's that keeps the pair, or that is in its way. */
function foreignSecret(
  reader: Side,
  target: Side,
  held: readonly RemoteSecretState[],
): Pick<PairPlan, "standing" | "findings"> | undefined {
  const remote = held.find(({ owner }) => owner !== "ours");
  if (remote !== undefined) {
    return {
      standing: remote.isRead ? "excluded" : "blocked",
      findings: [foreignRemoteSecret(reader.clusterId, target.clusterId, remote)],
    };
  }
  const standIn = foreignStandIn(reader, target);
  return standIn && { standing: "blocked", findings: [foreignReaderSecret(target.clusterId, standIn.name)] };
}

function foreignStandIn(reader: Side, target: Side): ReaderSecretState | undefined {
  return target.readerSecrets.get(reader.names.readerSecret)?.find(({ owner }) => owner !== "ours");
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
