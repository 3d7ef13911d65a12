import type { Finding } from "../answers/finding.ts";
import type { Member } from "../member/observation.ts";
import { rootFaultOnRecord } from "../member/remembered.ts";
import type { MeshSpec } from "../spec.ts";
import { rootEnding } from "./due.ts";
import { noSigningRoot, rootFaults } from "./no-signing-root.ts";
import { pauses } from "./paused.ts";
import type { Roots } from "./stages.ts";

/** What a look has seen of the roots; `unusableRoot`: why they cannot be used. */
interface SeenRoots {
  readonly roots: Roots;
  readonly unusableRoot?: Finding | undefined;
  readonly members: readonly Member[];
}

/** What status and plan tell of the roots. */
export function rootFindings(
  { roots, unusableRoot, members }: SeenRoots,
  spec: MeshSpec,
  now: Date,
): Finding[] {
  return [
    ...[noSigningRoot(spec, roots.versions) ?? []].flat(),
    ...rootFaults(unusableRoot, rootFaultOnRecord(members)),
    ...pauses(roots),
    ...[rootEnding(members, roots, spec, now) ?? []].flat(),
  ];
}
