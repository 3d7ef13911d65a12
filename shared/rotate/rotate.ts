import type { Finding } from "../core/answers/finding.ts";
import { stillTrusted } from "../core/member/intermediate-life.ts";
import type { ReconcileRequest, Scope } from "../core/request.ts";
import { rotationDue, scheduledRotation } from "../core/roots/due.ts";
import type { Gate } from "../core/roots/gate.ts";
import { refuseExclusion } from "../core/roots/held.ts";
import {
  abort,
  advance,
  isRefusal,
  isStaleOrder,
  pause,
  type Refusal,
  type Roots,
  resume,
  seenBy,
  stageOf,
  type Transition,
  withOrder,
  without,
  withoutFutureOrders,
  withView,
} from "../core/roots/stages.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import { viewOf } from "../core/roots/view.ts";
import { lookAtGate } from "../look/gate.ts";
import { lookAtMesh, type Mesh } from "../look/mesh.ts";
import { type Reconciled, reconcile } from "../reconcile.ts";
import { beginRotation } from "./begin.ts";
import { type Changed, changeRoots, type RotatorRun, readRoots } from "./change-roots.ts";

export const ROOT_ACTIONS = ["start", "advance", "pause", "resume", "abort"] as const;
export type RootAction = (typeof ROOT_ACTIONS)[number];

export interface RootOrder {
  readonly action: RootAction;
  readonly givenAt: Date;
  /** Of `advance`: clusters that will never come back. It is confirmed that the gates of this rotation do without them. */
  readonly without?: readonly string[];
  /** Of `advance`: it is confirmed that no member is where this configuration does not look, and the rotation has looked. */
  readonly confirm?: readonly RootConfirmable[];
}

/** Of the findings' reasons. */
export const ROOT_CONFIRMABLE = ["NotConfigured"] as const;
export type RootConfirmable = (typeof ROOT_CONFIRMABLE)[number];

/** What a message has come to. */
export interface Rotated {
  /** What became of the root secret, where it was about that. */
  readonly moved?: Ordered;
  readonly reconciled?: Reconciled | undefined;
}

export interface IntermediateOrder {
  readonly scope: Scope;
  readonly reason: "scheduled" | "manual" | "compromise";
  /** What was issued before this is replaced: a copy of the order changes nothing. */
  readonly givenAt: Date;
}

/** What became of an order about the root. */
export interface Ordered extends Changed {
  /** What the stage waits for, where it was looked at. */
  readonly gate?: Gate;
}

/** Replaces what was issued before the order; of the whole mesh, it is noted on the root secret and outlives this run. */
export async function rotateIntermediates(
  run: RotatorRun,
  { scope, reason, givenAt }: IntermediateOrder,
): Promise<Reconciled> {
  if (scope === "mesh") {
    await changeRoots(run, ({ versions, notes }) =>
      notes.rotateBefore !== undefined && notes.rotateBefore >= givenAt
        ? undefined
        : { versions, notes: { ...notes, rotateBefore: givenAt }, disable: [] },
    );
  }
  const request = { scope, reason: `rotate: ${reason}`, rollOut: true, rotateBefore: givenAt };
  const reconciled = await reconcile(run, { ...request, atOnce: reason === "compromise" });
  return reason === "compromise" ? withFinding(reconciled, stillTrusted(run.spec, givenAt)) : reconciled;
}

/**
 * Does what was ordered about the root, once: a copy of an order that was acted on, or one that is older, changes nothing. Whatever
 * is refused says why and is not to be sent again. `advance` is no more than a tick does: no order opens a gate. It may name clusters
 * that are no members and will never come back: they are noted on the root secret, and no later look waits for them.
 */
export async function orderRoot(run: RotatorRun, order: RootOrder): Promise<Ordered> {
  const { action, givenAt } = order;
  switch (action) {
    case "start":
      return await beginRotation(run, givenAt);
    case "advance":
      return await advanceIfOpen(run, order);
    case "pause":
      return await orderOnce(run, givenAt, pause);
    case "resume":
      return await orderOnce(run, givenAt, resume);
    case "abort":
      return await orderOnce(run, givenAt, abort);
  }
}

async function orderOnce(
  run: RotatorRun,
  givenAt: Date,
  decide: (roots: Roots, now: Date) => Transition | Refusal,
): Promise<Changed> {
  return await changeRoots(run, (roots) => {
    if (isStaleOrder(roots.notes, givenAt, run.ports.clock.now())) return undefined;
    const decided = decide(roots, run.ports.clock.now());
    return isRefusal(decided) ? decided : withOrder(decided, givenAt, run.ports.clock.now());
  });
}

/**
 * Whatever is due: the mesh is reconciled; a stage that is over is followed by the next, unless somebody has paused them, and a
 * root of Meshjoin's own making that comes to its end is rotated. Either goes to the members at once.
 */
export async function tick(run: RotatorRun): Promise<Rotated> {
  const reconciled = await reconcile(run, wholeMesh("tick"));
  const moved = run.signal.aborted ? undefined : await moveOn(run, reconciled);
  const overdue = moved?.gate?.overdue;
  const told = overdue === undefined ? reconciled : withFinding(reconciled, overdue);
  return { reconciled: await followUp(run, moved, told), ...(moved === undefined ? {} : { moved }) };
}

/** What became of an order that may have moved a rotation on; the members get the new stage at once. */
export async function carryOut(run: RotatorRun, order: RootOrder): Promise<Rotated> {
  const moved = await orderRoot(run, order);
  const reconciled = await followUp(run, moved, undefined);
  return { moved, ...(reconciled === undefined ? {} : { reconciled }) };
}

/**
 * Secret Manager's schedule says that the root is to be rotated. That is begun for a root of Meshjoin's own making; for any other
 * it is a finding, because the next one has to be brought.
 */
export async function carryOutSchedule(run: RotatorRun, givenAt: Date): Promise<Rotated> {
  const { versions, notes } = await readRoots(run);
  if (notes.origin === "generated") return await carryOut(run, { action: "start", givenAt });
  const reconciled = await reconcile(run, wholeMesh("SECRET_ROTATE"));
  return { reconciled: withFinding(reconciled, scheduledRotation(versions.signing)) };
}

function withFinding(reconciled: Reconciled, finding: Finding): Reconciled {
  const { summary } = reconciled;
  return { ...reconciled, summary: { ...summary, findings: [...summary.findings, finding] } };
}

/** Gives the members the new aliases, where they are new. */
export async function followUp<R extends Reconciled | undefined>(
  run: RotatorRun,
  moved: Changed | undefined,
  otherwise: R,
): Promise<Reconciled | R> {
  return hasNewAliases(moved) ? await reconcile(run, wholeMesh("rotation moved")) : otherwise;
}

function wholeMesh(reason: string): ReconcileRequest {
  return { scope: "mesh", reason, rollOut: true };
}

async function moveOn(run: RotatorRun, { members }: Reconciled): Promise<Ordered | undefined> {
  const { before: roots } = await changeRoots(run, (current) => {
    // A tick comes by Google's clock, an order perhaps by that of a laptop.
    const settled = withoutFutureOrders(current, run.ports.clock.now());
    return seenBy(settled ?? current, viewOf(run.spec)) ?? settled;
  });
  if (stageOf(roots) !== "idle") {
    return roots.notes.paused === undefined ? await advanceIfOpen(run) : undefined;
  }
  const now = run.ports.clock.now();
  const isDue = rotationDue(members, roots, run.spec, now) !== undefined;
  return isDue && roots.notes.origin === "generated" ? await beginRotation(run, now) : undefined;
}

function hasNewAliases(changed: Changed | undefined): boolean {
  if (changed?.after === undefined || isRefusal(changed.after)) return false;
  return formatRootVersions(changed.before.versions) !== formatRootVersions(changed.after.versions);
}

/**
 * The next stage, if the gate is open for the very state that was looked at: whoever comes second, because another run has moved on
 * meanwhile, leaves it at that.
 */
async function advanceIfOpen(
  run: RotatorRun,
  { givenAt, without: excluded = [], confirm = [] }: Partial<RootOrder> = {},
): Promise<Ordered> {
  const isConfirmed = confirm.includes("NotConfigured");
  const withOrdered = (roots: Roots): Roots => {
    const others = without(roots, excluded);
    return isConfirmed ? withView(others, viewOf(run.spec)) : others;
  };
  const seen = await lookAtMesh(run, "mesh");
  const gate = await lookAtGate(run, { ...seen, roots: withOrdered(seen.roots) });
  const { stageSince } = seen.roots.notes;
  const changed = await changeRoots(run, (roots) => {
    if (givenAt !== undefined && isStaleOrder(roots.notes, givenAt, run.ports.clock.now())) return undefined;
    const isSame =
      formatRootVersions(roots.versions) === formatRootVersions(seen.roots.versions) &&
      roots.notes.stageSince?.getTime() === stageSince?.getTime();
    if (!isSame) return undefined;
    const noted = withOrdered(roots);
    const next = advance(noted, run.ports.clock.now());
    if (isRefusal(next)) return next;
    const refusal = refuseExclusion(excluded, seen.members, leftOutBy(seen));
    if (refusal !== undefined) return refusal;
    if (!gate.open && excluded.length === 0 && !isConfirmed) return notYet(gate, run.ports.clock.now());
    const transition = gate.open ? next : { ...noted, disable: [] };
    return givenAt === undefined ? transition : withOrder(transition, givenAt, run.ports.clock.now());
  });
  return { ...changed, gate };
}

/** Cluster IDs of those that are there by the word of their sources, and that this configuration leaves out. */
function leftOutBy({ departures, leavers }: Mesh): ReadonlySet<string> {
  const running = new Set(leavers.map(({ clusterId }) => clusterId));
  const leftOut = departures.filter(({ absence }) => absence.certainty === "notConfigured");
  return new Set(leftOut.map(({ departed }) => departed.clusterId)).intersection(running);
}

function notYet({ waitingFor, until }: Gate, now: Date): Refusal {
  const reasons = [
    ...waitingFor,
    ...(until === undefined || until < now
      ? []
      : [`certificates that were issued before this stage may live until ${until.toISOString()}`]),
  ];
  return {
    refused: "StageNotOver",
    message: `the stage is not over: ${reasons.join("; ")}`,
    cure: "nothing, if time is all that it takes: each tick looks again",
  };
}
