import type { Finding } from "../core/answers/finding.ts";
import { stillTrusted } from "../core/member/intermediate-life.ts";
import type { ReconcileRequest, Scope } from "../core/request.ts";
import { rotationDue, scheduledRotation } from "../core/roots/due.ts";
import type { Gate } from "../core/roots/gate.ts";
import { type Running, refuseExclusion } from "../core/roots/held.ts";
import {
  abort,
  advance,
  isRefusal,
  isSameStage,
  isStaleOrder,
  NOT_AS_SHOWN,
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
import { sentenceTime } from "../core/time.ts";
import { lookAtGate } from "../look/gate.ts";
import { lookAtMesh, type Mesh } from "../look/mesh.ts";
import type { Departure } from "../plan/departures.ts";
import { isLost } from "../plan/lost.ts";
import { type Reconciled, reconcile } from "../reconcile.ts";
import { beginRotation } from "./begin.ts";
import { type Changed, changeRoots, type RotatorRun, readRoots, writesArePaused } from "./change-roots.ts";

export const ROOT_ACTIONS = ["start", "advance", "pause", "resume", "abort"] as const;
export type RootAction = (typeof ROOT_ACTIONS)[number];

export interface RootOrder {
  readonly action: RootAction;
  readonly givenAt: Date;
  /** For `start` and `abort`: the roots that a person saw. Others refuse the order. */
  readonly shown?: Roots;
  /** For `advance`: clusters that never come back. A person excludes them from the gates of this rotation. */
  readonly without?: readonly string[];
  /** For `advance`: a person confirms that no member is where only earlier runs have looked. */
  readonly confirm?: readonly RootConfirmable[];
}

/** Reasons of findings that a person may confirm for a rotation. */
export const ROOT_CONFIRMABLE = ["NotConfigured"] as const;
export type RootConfirmable = (typeof ROOT_CONFIRMABLE)[number];

export interface Rotated {
  /** The change of the root secret, if the message was about that. */
  readonly moved?: Ordered;
  readonly reconciled?: Reconciled | undefined;
}

export interface IntermediateOrder {
  readonly scope: Scope;
  readonly reason: "scheduled" | "manual" | "compromise";
  /** Meshjoin replaces intermediates that were issued before this, so a copy of the order changes nothing. */
  readonly givenAt: Date;
}

/** The result of an order about the root. */
export interface Ordered extends Changed {
  /** The gate of the stage, if the run looked at it. */
  readonly gate?: Gate;
}

/** Replaces intermediates older than the order. One for the whole mesh goes on record for later runs. */
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
  // No record holds an order for one member, so it must come again.
  if (reconciled.pausedSince !== undefined) throw writesArePaused(reconciled.pausedSince);
  return reason === "compromise" ? withFinding(reconciled, stillTrusted(run.spec, givenAt)) : reconciled;
}

/**
 * Carries out an order about the root once: a copy of an earlier order, or an older one, changes nothing. A
 * refusal gives its reason, and sending the order again does not help. `advance` does no more than a tick: no
 * order opens a gate. It may exclude clusters that are no members and never come back: they go on record, and
 * no later gate waits for them.
 */
export async function orderRoot(run: RotatorRun, order: RootOrder): Promise<Ordered> {
  const { action, givenAt, shown } = order;
  switch (action) {
    case "start":
      return await beginRotation(run, { givenAt, shown });
    case "advance":
      return await advanceIfOpen(run, order);
    case "pause":
      return await orderOnce(run, givenAt, pause);
    case "resume":
      return await orderOnce(run, givenAt, resume);
    case "abort":
      return await orderOnce(run, givenAt, (roots, now) =>
        shown === undefined || isSameStage(roots, shown) ? abort(roots, now) : NOT_AS_SHOWN,
      );
  }
}

async function orderOnce(
  run: RotatorRun,
  givenAt: Date,
  decide: (roots: Roots, now: Date) => Transition | Refusal,
): Promise<Changed> {
  return await changeRoots(run, (roots) => {
    if (isStaleOrder(roots.notes, givenAt, run.ports.clock.now())) return undefined;
    const decision = decide(roots, run.ports.clock.now());
    return isRefusal(decision) ? decision : withOrder(decision, givenAt, run.ports.clock.now());
  });
}

/**
 * Reconciles the mesh, then begins the next stage if the present one is over and no person has paused the
 * rotation, or begins the rotation of a generated root near its end. Members get new aliases at once.
 */
export async function tick(run: RotatorRun): Promise<Rotated> {
  const reconciled = await reconcile(run, { ...wholeMesh("tick"), notedAs: "tick" });
  if (reconciled.pausedSince !== undefined) return { reconciled };
  const moved = run.signal.aborted ? undefined : await moveOn(run, reconciled);
  const overdue = moved?.gate?.overdue;
  const result = overdue === undefined ? reconciled : withFinding(reconciled, overdue);
  return { reconciled: await followUp(run, moved, result), ...(moved === undefined ? {} : { moved }) };
}

/** Carries out an order about the root; the members get new aliases at once. */
export async function carryOut(run: RotatorRun, order: RootOrder): Promise<Rotated> {
  const moved = await orderRoot(run, order);
  const reconciled = await followUp(run, moved, undefined);
  return { moved, ...(reconciled === undefined ? {} : { reconciled }) };
}

/**
 * Secret Manager's schedule asks for a rotation of the root. Meshjoin begins it for a root that it generated.
 * For an imported root it reports a finding, because a person must bring the next one.
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

/** Reconciles the mesh if the aliases are new. */
export async function followUp<R extends Reconciled | undefined>(
  run: RotatorRun,
  moved: Changed | undefined,
  earlier: R,
): Promise<Reconciled | R> {
  return hasNewAliases(moved) ? await reconcile(run, wholeMesh("rotation moved")) : earlier;
}

function wholeMesh(reason: string): ReconcileRequest {
  return { scope: "mesh", reason, rollOut: true };
}

async function moveOn(run: RotatorRun, { members }: Reconciled): Promise<Ordered | undefined> {
  const { before: roots } = await changeRoots(run, (current) => {
    // A tick has the time of Google's clock; an order may have that of a laptop.
    const settled = withoutFutureOrders(current, run.ports.clock.now());
    return seenBy(settled ?? current, viewOf(run.spec)) ?? settled;
  });
  if (stageOf(roots) !== "idle") {
    return roots.notes.paused === undefined ? await advanceIfOpen(run) : undefined;
  }
  const now = run.ports.clock.now();
  const isDue = rotationDue(members, roots, run.spec, now) !== undefined;
  return isDue && roots.notes.origin === "generated" ? await beginRotation(run, { givenAt: now }) : undefined;
}

function hasNewAliases(changed: Changed | undefined): boolean {
  if (changed?.after === undefined || isRefusal(changed.after)) return false;
  return formatRootVersions(changed.before.versions) !== formatRootVersions(changed.after.versions);
}

/**
 * Begins the next stage, if the gate is open and the roots are still those that the gate looked at. Does
 * nothing if another run has moved them meanwhile.
 */
async function advanceIfOpen(
  run: RotatorRun,
  { givenAt, without: excluded = [], confirm = [] }: Partial<RootOrder> = {},
): Promise<Ordered> {
  const isConfirmed = confirm.includes("NotConfigured");
  const withConfirmed = (roots: Roots): Roots => {
    const reduced = without(roots, excluded);
    return isConfirmed ? withView(reduced, viewOf(run.spec)) : reduced;
  };
  const mesh = await lookAtMesh(run, "mesh");
  const gate = await lookAtGate(run, { ...mesh, roots: withConfirmed(mesh.roots) });
  const changed = await changeRoots(run, (roots) => {
    if (givenAt !== undefined && isStaleOrder(roots.notes, givenAt, run.ports.clock.now())) return undefined;
    if (!isSameStage(roots, mesh.roots)) return undefined;
    const confirmed = withConfirmed(roots);
    const next = advance(confirmed, run.ports.clock.now());
    if (isRefusal(next)) return next;
    const refusal = refuseExclusion(excluded, mesh.members, runningOf(mesh));
    if (refusal !== undefined) return refusal;
    if (!gate.open && excluded.length === 0 && !isConfirmed) return notYet(gate, run.ports.clock.now());
    const transition = gate.open ? next : { ...confirmed, disable: [] };
    return givenAt === undefined ? transition : withOrder(transition, givenAt, run.ports.clock.now());
  });
  return { ...changed, gate };
}

/** Non-members that the look has found running. */
function runningOf({ departures, leavers }: Mesh): Running {
  const running = new Set(leavers.map(({ clusterId }) => clusterId));
  const those = (isOne: (departure: Departure) => boolean) =>
    new Set(departures.filter(isOne).map(({ departed }) => departed.clusterId)).intersection(running);
  return {
    leftOut: those(({ absence }) => absence.certainty === "notConfigured"),
    lost: those((departure) => isLost(departure, { leavers, leaving: [] })),
  };
}

function notYet({ waitingFor, until }: Gate, now: Date): Refusal {
  const reasons = [
    ...waitingFor,
    ...(until === undefined || until < now
      ? []
      : [`certificates that were issued before this stage may live until ${sentenceTime(until)}`]),
  ];
  return {
    refused: "StageNotOver",
    message: `the stage is not over: ${reasons.join("; ")}`,
    cure: "fix what the message names; if it names only a time, wait: Meshjoin checks every ten minutes",
  };
}
