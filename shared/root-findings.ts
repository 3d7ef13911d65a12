import type { Finding } from "./core/answers/finding.ts";
import { rootFaultOnRecord } from "./core/member/remembered.ts";
import { rootEnding } from "./core/roots/due.ts";
import { noSigningRoot } from "./core/roots/no-signing-root.ts";
import { pauses } from "./core/roots/paused.ts";
import type { MeshSpec } from "./core/spec.ts";
import type { Mesh } from "./look/mesh.ts";

/** What status and plan tell of the roots. */
export function rootFindings(
  { roots, unusableRoot, members }: Pick<Mesh, "roots" | "unusableRoot" | "members">,
  spec: MeshSpec,
  now: Date,
): Finding[] {
  return [
    ...[noSigningRoot(spec, roots.versions) ?? []].flat(),
    ...[unusableRoot ?? rootFaultOnRecord(members) ?? []].flat(),
    ...pauses(roots),
    ...[rootEnding(members, roots, spec, now) ?? []].flat(),
  ];
}
