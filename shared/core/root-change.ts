import { type Finding, finding } from "./finding.ts";
import type { OwnCacerts } from "./observation.ts";
import { bundleVersions, parseRootVersions } from "./root-state.ts";
import type { Roots } from "./rotation.ts";

/**
 * Why a member must not get the roots that the aliases name now, whoever has named them; undefined if it may. A root leaves its
 * bundle on record alone (design rule 13), and none signs for it that it did not trust before: dropped or skipped, either cuts
 * off workloads that are alive.
 */
export function unsafeRoots(
  { rootVersions }: Pick<OwnCacerts, "rootVersions">,
  { versions, notes }: Roots,
  clusterId: string,
): Finding | undefined {
  const held = bundleVersions(parseRootVersions(rootVersions));
  const wanted = bundleVersions(versions);
  const lost = held.filter((version) => !wanted.includes(version) && !notes.retired.includes(version));
  if (lost.length > 0) {
    return finding(
      "RootMissing",
      `the member trusts root version ${lost.join(", ")}, which no alias names and no rotation has retired; it keeps what it has`,
      "give the version its alias back: signing, or previous if another signs now",
      clusterId,
    );
  }
  const { signing } = versions;
  if (signing === undefined || held.length === 0 || held.includes(signing)) return undefined;
  return finding(
    "RootNotDistributed",
    `root version ${signing} is to sign, and the member does not trust it yet; it keeps what it has`,
    `let the root that signed before sign, and give version ${signing} the alias next; then it is distributed first`,
    clusterId,
  );
}
