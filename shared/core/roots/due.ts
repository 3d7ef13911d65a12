import { type Finding, finding } from "../answers/finding.ts";
import { rotationLead } from "../member/intermediate-life.ts";
import { isReachable, type Member } from "../member/observation.ts";
import type { MeshSpec } from "../spec.ts";
import { sentenceTime } from "../time.ts";
import { type Roots, stageOf } from "./stages.ts";
import { parseRootVersions } from "./state.ts";

/**
 * When the root that signs ends, by the members' `cacerts`; undefined if no member holds an intermediate of
 * it. Reads no payload.
 */
function rootEnd(members: readonly Member[], { versions }: Roots): Date | undefined {
  const ends = members
    .filter(isReachable)
    .flatMap(({ state: { cacerts } }) =>
      cacerts?.owner === "ours" &&
      parseRootVersions(cacerts.rootVersions).signing === versions.signing &&
      cacerts.rootNotAfter !== undefined
        ? [cacerts.rootNotAfter.getTime()]
        : [],
    );
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

/** Set when a rotation must begin now for the root to retire before it ends; undefined in a rotation. */
export function rotationDue(
  members: readonly Member[],
  roots: Roots,
  spec: MeshSpec,
  now: Date,
): Finding | undefined {
  const end = rootEnd(members, roots);
  if (end === undefined || stageOf(roots) !== "idle") return undefined;
  if (end.getTime() - now.getTime() > rotationLead(spec) * 1000) return undefined;
  return finding(
    "RootRotationDue",
    `the root that signs ends at ${sentenceTime(end)}; a rotation takes the lives of two intermediates to be safe`,
    roots.notes.origin === "generated"
      ? "nothing, if the rotator begins one; if it does not: meshjoin root rotate"
      : "import the next root: meshjoin root import FILE; or let Meshjoin make it: meshjoin root rotate",
  );
}

/** Set when the end of the root that signs is near: a rotation must begin, or the one under way is late. */
export function rootEnding(
  members: readonly Member[],
  roots: Roots,
  spec: MeshSpec,
  now: Date,
): Finding | undefined {
  const end = rootEnd(members, roots);
  if (end === undefined || stageOf(roots) === "idle") return rotationDue(members, roots, spec, now);
  if (end.getTime() - now.getTime() > spec.intermediateTtl * 1000) return undefined;
  return finding(
    "RootExpiring",
    `the root that signs ends at ${sentenceTime(end)}, and its rotation is still under way`,
    "see what the rotation waits for, and mend that: meshjoin root status",
  );
}

/** Secret Manager's schedule asks for a rotation. */
export function scheduledRotation(version: number | undefined): Finding {
  return finding(
    "RootRotationDue",
    `the schedule of the root secret asks for a rotation of root version ${version ?? "none"}, which Meshjoin did not make`,
    "import the next root: meshjoin root import FILE; or let Meshjoin make it: meshjoin root rotate",
  );
}
