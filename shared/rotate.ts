import type { ReconcileRequest, Scope } from "./core/request.ts";
import {
  abort,
  advance,
  isRefusal,
  isStaleOrder,
  pause,
  type Refusal,
  type Roots,
  resume,
  rootsOf,
  stageOf,
  type Transition,
  withOrder,
} from "./core/rotation.ts";
import type { Gate } from "./core/rotation-gate.ts";
import { survey } from "./reconcile/survey.ts";
import { type Reconciled, reconcile } from "./reconcile.ts";
import { beginRotation } from "./rotate/begin.ts";
import { type Changed, changeRoots, type RotatorRun } from "./rotate/change-roots.ts";
import { lookAtGate } from "./rotate/look.ts";

export const ROOT_ACTIONS = ["start", "advance", "pause", "resume", "abort"] as const;
export type RootAction = (typeof ROOT_ACTIONS)[number];

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
  const request: ReconcileRequest = { scope, reason: `rotate: ${reason}`, rollOut: true };
  return await reconcile(run, { ...request, rotateBefore: givenAt, atOnce: reason === "compromise" });
}

/**
 * Does what was ordered about the root, once: a copy of an order that was acted on, or one that is older, changes nothing. Whatever
 * is refused says why and is not to be sent again. `advance` is no more than a tick does: no order opens a gate.
 */
export async function orderRoot(
  run: RotatorRun,
  { action, givenAt }: { readonly action: RootAction; readonly givenAt: Date },
): Promise<Ordered> {
  switch (action) {
    case "start":
      return await beginRotation(run, givenAt);
    case "advance":
      return await advanceIfOpen(run, givenAt);
    case "pause":
      return await order(run, givenAt, pause);
    case "resume":
      return await order(run, givenAt, resume);
    case "abort":
      return await order(run, givenAt, abort);
  }
}

async function order(
  run: RotatorRun,
  givenAt: Date,
  decide: (roots: Roots, now: Date) => Transition | Refusal,
): Promise<Changed> {
  return await changeRoots(run, (roots) => {
    if (isStaleOrder(roots.notes, givenAt)) return undefined;
    const decided = decide(roots, run.ports.clock.now());
    return isRefusal(decided) ? decided : withOrder(decided, givenAt);
  });
}

/**
 * Whatever is due: the mesh is reconciled; a stage that is over is followed by the next, unless somebody has paused them, and a
 * root of Meshjoin's own making that comes to its end is rotated. Either goes to the members at once.
 */
export async function tick(run: RotatorRun): Promise<Reconciled> {
  const request: ReconcileRequest = { scope: "mesh", reason: "tick", rollOut: true };
  const reconciled = await reconcile(run, request);
  const moved = await moveOn(run, reconciled);
  return wasWritten(moved) ? await reconcile(run, request) : reconciled;
}

async function moveOn(run: RotatorRun, { summary }: Reconciled): Promise<Changed | undefined> {
  const roots = rootsOf(await run.ports.roots.state(run.signal));
  if (stageOf(roots) !== "idle") {
    return roots.notes.paused === undefined ? await advanceIfOpen(run) : undefined;
  }
  const isDue = summary.findings.some(({ reason }) => reason === "RootRotationDue");
  return isDue && roots.notes.origin === "generated"
    ? await beginRotation(run, run.ports.clock.now())
    : undefined;
}

export function wasWritten(changed: Changed | undefined): boolean {
  return changed?.after !== undefined && !isRefusal(changed.after);
}

/**
 * The next stage, if the gate is open for the very state that was looked at: whoever comes second, because another run has moved on
 * meanwhile, leaves it at that.
 */
async function advanceIfOpen(run: RotatorRun, givenAt?: Date): Promise<Ordered> {
  const seen = await survey(run);
  const gate = await lookAtGate(run, seen);
  const { stageSince } = seen.roots.notes;
  const changed = await changeRoots(run, (roots) => {
    if (givenAt !== undefined && isStaleOrder(roots.notes, givenAt)) return undefined;
    const isSame =
      JSON.stringify(roots.versions) === JSON.stringify(seen.roots.versions) &&
      roots.notes.stageSince?.getTime() === stageSince?.getTime();
    if (!isSame) return undefined;
    const next = advance(roots, run.ports.clock.now());
    if (isRefusal(next)) return next;
    if (!gate.open) return notYet(gate, run.ports.clock.now());
    return givenAt === undefined ? next : withOrder(next, givenAt);
  });
  return { ...changed, gate };
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
