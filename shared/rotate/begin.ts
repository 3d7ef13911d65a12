import { isReachable } from "../core/observation.ts";
import type { RootOrigin } from "../core/roots/notes.ts";
import { claimNext, isRefusal, isStaleOrder, type Refusal, withOrder } from "../core/roots/stages.ts";
import { survey } from "../reconcile/survey.ts";
import { type Changed, changeRoots, type RotatorRun, readRoots } from "./change-roots.ts";
import { generatedRoot, type NextRoot } from "./root-payload.ts";

/**
 * Begins a rotation to a root that is made now. Of two that begin at once, one root is claimed and the other is disabled: it
 * never was anybody's. Dying before the claim leaves a version without an alias, which is ignored.
 */
export async function beginRotation(
  run: RotatorRun,
  givenAt: Date,
  bring?: () => Promise<NextRoot>,
): Promise<Changed> {
  const before = await readRoots(run);
  if (isStaleOrder(before.notes, givenAt)) return { before, after: undefined };
  const mayBegin = claimNext(before, UNKNOWN_VERSION, "generated", givenAt);
  if (isRefusal(mayBegin)) return { before, after: mayBegin };
  const barrier = await foreignCacerts(run);
  if (barrier !== undefined) return { before, after: barrier };

  const { payload, origin } = await (bring?.() ?? generatedRoot(run.spec, run.ports.clock.now()));
  let version: number;
  try {
    version = await run.ports.keeper.add(payload, run.signal);
  } finally {
    payload.fill(0);
  }
  const claimed = await claim(run, version, origin, givenAt);
  const isClaimed =
    claimed.before.versions.next === version || (claimed.after !== undefined && !isRefusal(claimed.after));
  if (!isClaimed) await run.ports.keeper.disable(version, run.signal);
  return claimed;
}

/** Only to ask whether a rotation may begin at all. */
const UNKNOWN_VERSION = Number.MAX_SAFE_INTEGER;

async function claim(run: RotatorRun, version: number, origin: RootOrigin, givenAt: Date): Promise<Changed> {
  return await changeRoots(run, (roots) => {
    if (roots.versions.next === version || isStaleOrder(roots.notes, givenAt)) return undefined;
    const begun = claimNext(roots, version, origin, run.ports.clock.now());
    return isRefusal(begun) ? begun : withOrder(begun, givenAt);
  });
}

/** One that Meshjoin does not rotate would trust the old root alone, and be cut off. */
async function foreignCacerts(run: RotatorRun): Promise<Refusal | undefined> {
  const { members } = await survey(run);
  const own = members
    .filter(isReachable)
    .flatMap(({ clusterId, state: { cacerts } }) =>
      cacerts?.owner === "foreign" && cacerts.trust === "sameRoots" ? [clusterId] : [],
    );
  if (own.length === 0) return undefined;
  return {
    refused: "ForeignCacerts",
    message: `${own.join(", ")} has a cacerts of its own, which Meshjoin does not rotate`,
    cure: "delete that Secret, so that Meshjoin issues one, or take the mesh label off the cluster",
  };
}
