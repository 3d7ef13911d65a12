import type { Run } from "./apply.ts";
import type { Cluster } from "./core/cluster.ts";
import { isOutOfReach } from "./core/error-finding.ts";
import { distinct } from "./core/finding.ts";
import { clusterId } from "./core/names.ts";
import type { Member } from "./core/observation.ts";
import { type Outcome, worst } from "./core/outcome.ts";
import { outOfReach } from "./core/reach.ts";
import type { ReconcileRequest } from "./core/request.ts";
import { rotationDue } from "./core/roots/due.ts";
import type { MeshSpec } from "./core/spec.ts";
import type { MemberSummary, Summary } from "./core/summary.ts";
import type { MeshjoinError } from "./errors.ts";
import { type Listing, listClusters } from "./look/listing.ts";
import { signingRoots } from "./look/roots.ts";
import { reconcileDepartures } from "./phases/departures.ts";
import { type DeepResult, repairDrift } from "./phases/drift.ts";
import { findFaultsElsewhere } from "./phases/elsewhere.ts";
import type { Late } from "./phases/note-loaded.ts";
import { type MemberResult, observeMembers, reconcileMembers } from "./phases/own-halves.ts";
import { reconcilePairs } from "./phases/pairs.ts";
import { findMissingPermissions } from "./phases/permissions.ts";
import { findRefusedPods } from "./phases/refused-pods.ts";
import { renewIntermediates } from "./phases/renewals.ts";
import { type RollOutResult, rollOut } from "./phases/roll-out.ts";

/** A summary, and what a trigger has to know to answer: whether to come again, and what to log. */
export interface Reconciled {
  readonly summary: Summary;
  /** Work is left that the same request can finish later. Unreachable peers are no reason; they have the full run. */
  readonly retry: boolean;
  /** Everything that went wrong on the way; logged once, at the edge. */
  readonly errors: readonly MeshjoinError[];
}

/**
 * Observe, plan and apply. Of the clusters that the request is about: those that are members get their own halves, then the
 * pairs that they take part in (design rule 2); of those that are none any more the members lose what they hold. The
 * only place that joins the three. Throws only when nothing can be said of any member: the root state cannot be read, or no
 * project answers. `known` are clusters that were read just now: a list may be a moment behind.
 */
export async function reconcile(
  run: Run,
  request: ReconcileRequest,
  known: readonly Cluster[] = [],
): Promise<Reconciled> {
  const listing = await listClusters(run, undefined, known);
  const subjects = chooseSubjects(listing, run.spec, request);
  if (request.scope !== "mesh" && subjects.length > 0) return await join(run, request, { listing, subjects });

  const members = await observeMembers(run, listing.members, request.scope === "mesh" ? "subject" : "peer");
  const leaving = leave(run, request, { listing, members });
  if (request.scope !== "mesh") return await leaving;
  const [left, joined] = await Promise.allSettled([
    leaving,
    join(run, request, { listing, subjects, members }),
  ]);
  if (left.status === "rejected") throw left.reason;
  if (joined.status === "rejected") throw joined.reason;
  return together(joined.value, left.value);
}

interface Joining {
  readonly listing: Listing;
  readonly subjects: readonly Cluster[];
  /** Every member, where all were seen already. */
  readonly members?: readonly Member[];
}

async function join(
  run: Run,
  request: ReconcileRequest,
  { listing, subjects, members = [] }: Joining,
): Promise<Reconciled> {
  const { confirm = [], rollOut: mayRollOut = false, deep = false, rotateBefore } = request;
  const roots = await signingRoots(run);
  const observed = new Map(members.map((member) => [member.clusterId, member]));
  const given = { roots, confirm, rotateBefore };
  const results = await reconcileMembers(run, {
    ...given,
    subjects,
    observed,
    collisions: listing.collisions,
  });
  const wrote = results.some((result) => result.wrote);
  const fresh = wrote ? await listClusters(run, listing) : listing;
  const mesh = { ...given, clusters: fresh.members, results, collisions: fresh.collisions };
  const seen = wrote || members.length === 0 ? undefined : members;
  const pairs = await reconcilePairs(run, { ...mesh, observed: seen });
  const late = results.map((result) => summarise(result, pairs.late.get(result.clusterId)));
  const pairOutcomes = pairs.pairs.flatMap(({ outcome, counts }) => (counts ? [outcome] : []));
  const isWhole = ![...late.map(({ outcome }) => outcome), ...pairOutcomes].some(isUnfinished);
  const renewed = mayRollOut
    ? await renewIntermediates(run, mesh, [...pairs.late.keys()], request)
    : NOT_ROLLED;
  const goesOn = isWhole && renewed.findings.length === 0 && !renewed.unfinished;
  const rolled = mayRollOut ? await rollOut(run, { ...mesh, isWhole: goesOn }) : NOT_ROLLED;
  const current = results.filter(
    (each) => each.rollOut === undefined && each.renewal === undefined && !isUnfinished(each.outcome),
  );
  const looked = deep
    ? await repairDrift(
        run,
        current.filter(isOurs).map(({ cluster }) => cluster),
      )
    : NOT_DEEP;
  const unfinished = new Set(
    late.filter(({ outcome }) => isUnfinished(outcome)).map(({ clusterId: id }) => id),
  );
  const lacking = deep
    ? await Promise.all([
        findMissingPermissions(run, subjects),
        findFaultsElsewhere(run, request.scope, unfinished),
      ])
    : [];
  const refused = deep
    ? await findRefusedPods(
        run,
        current.map(({ cluster }) => cluster),
      )
    : NOT_DEEP;
  const memberSummaries = late.map((each) => {
    const more = [renewed, rolled, looked, refused].flatMap(
      ({ outcomes: done }) => done.get(each.clusterId) ?? [],
    );
    return { ...each, outcome: worst([each.outcome, ...more]) };
  });
  const outcomes = [...memberSummaries.map(({ outcome }) => outcome), ...pairOutcomes];
  return {
    summary: {
      outcome: worst(outcomes),
      members: memberSummaries,
      pairs: pairs.pairs.map(({ reader, target, outcome }) => ({ reader, target, outcome })),
      findings: distinct([
        ...listing.findings,
        ...fresh.findings,
        ...[rotationDue(members, roots, run.spec, run.ports.clock.now()) ?? []].flat(),
        ...pairs.findings,
        ...renewed.findings,
        ...rolled.findings,
        ...looked.findings,
        ...lacking.flat(),
        ...refused.findings,
      ]),
    },
    retry: outcomes.includes("waiting") || renewed.unfinished || rolled.unfinished || run.signal.aborted,
    errors: [
      ...results.flatMap(({ error }) => error ?? []),
      ...pairs.errors,
      ...renewed.errors,
      ...rolled.errors,
      ...looked.errors,
      ...refused.errors,
    ],
  };
}

const NOT_DEEP: DeepResult = { outcomes: new Map(), findings: [], errors: [] };
const NOT_ROLLED: RollOutResult = { outcomes: new Map(), findings: [], errors: [], unfinished: false };

/** Somebody else's control plane is none of our business. */
function isOurs({ findings }: MemberResult): boolean {
  return !findings.some(({ reason }) =>
    ["ForeignControlPlaneAccepted", "IstioVersionDiffers"].includes(reason),
  );
}

function isUnfinished(outcome: Outcome): boolean {
  return outcome === "failed" || outcome === "waiting";
}

interface Leaving {
  readonly listing: Listing;
  readonly members: readonly Member[];
}

/** A member that cannot be reached keeps what it holds until the full run; nothing else is waited for. */
async function leave(
  run: Run,
  { scope, confirm = [] }: ReconcileRequest,
  { listing, members }: Leaving,
): Promise<Reconciled> {
  const only = scope === "mesh" ? undefined : scope.clusterId;
  const { pairs, findings, errors } = await reconcileDepartures(run, { members, listing, only, confirm });
  const silent = scope === "mesh" ? [] : members.flatMap((member) => outOfReach(member) ?? []);
  const outcomes = pairs.map(({ outcome }) => outcome);
  return {
    summary: {
      outcome: worst(outcomes),
      members: [],
      pairs,
      findings: distinct([...listing.findings, ...silent, ...findings]),
    },
    retry: errors.some((error) => error.retryable && !isOutOfReach(error)) || run.signal.aborted,
    errors,
  };
}

function together(a: Reconciled, b: Reconciled): Reconciled {
  return {
    summary: {
      outcome: worst([a.summary.outcome, b.summary.outcome]),
      members: a.summary.members,
      pairs: [...a.summary.pairs, ...b.summary.pairs],
      findings: distinct([...a.summary.findings, ...b.summary.findings]),
    },
    retry: a.retry || b.retry,
    errors: [...a.errors, ...b.errors],
  };
}

function summarise(
  { clusterId: id, outcome, findings }: MemberResult,
  late: Late | undefined,
): MemberSummary {
  if (late === undefined) return { clusterId: id, outcome, findings };
  return {
    clusterId: id,
    outcome: worst([outcome, late.outcome]),
    findings: [...findings, ...late.findings],
  };
}

/**
 * A cluster ID does not say where the project in it ends, so whether a cluster that is not listed is a member is open as long
 * as some project is silent; only if none answers, nothing can be done at all.
 */
function chooseSubjects(
  { members, failed }: Listing,
  { projects }: MeshSpec,
  { scope }: ReconcileRequest,
): readonly Cluster[] {
  const [error] = failed.values();
  if (error !== undefined && failed.size === projects.length) throw error;
  if (scope === "mesh") return members;
  return members.filter(({ ref }) => clusterId(ref) === scope.clusterId);
}
