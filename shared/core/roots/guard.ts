import { type Finding, finding } from "../answers/finding.ts";
import type { OwnCacerts } from "../member/observation.ts";
import type { Roots } from "./stages.ts";
import { bundleVersions, parseRootVersions, type RootVersions } from "./state.ts";

/**
 * Why a member must not get the roots that the aliases name now, whoever has named them; undefined if it may. A root leaves its
 * bundle on record alone (design rule 13), and another one signs for it only when every member was seen to trust that: whoever
 * drops the one or skips the other by hand would cut off workloads that are alive.
 */
export function unsafeRoots(
  { rootVersions }: Pick<OwnCacerts, "rootVersions">,
  { versions, notes }: Roots,
  clusterId: string,
): Finding | undefined {
  const before = parseRootVersions(rootVersions);
  const held = bundleVersions(before);
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
  if (held.length > 0 && !held.some((version) => wanted.includes(version))) {
    return missedRotation(held, clusterId);
  }
  const isNested =
    held.every((version) => wanted.includes(version)) || wanted.every((each) => held.includes(each));
  if (!isNested) {
    const message = `the bundle would lose root version ${held.join(", ")} for ${wanted.join(", ")} in one step, which istiod does not take; the member keeps what it has`;
    return finding("RootNotDistributed", message, giveBack(before), clusterId);
  }
  const { signing } = versions;
  if (signing === undefined || before.signing === undefined || before.signing === signing) return undefined;
  if (held.includes(signing) && notes.distributed.includes(signing)) return undefined;
  return finding(
    "RootNotDistributed",
    `root version ${signing} is to sign, and not every member was seen to trust it; this one keeps what it has`,
    giveBack({ signing: before.signing, next: signing }),
    clusterId,
  );
}

function giveBack(versions: RootVersions): string {
  const aliases = Object.entries(versions).map(([role, version]) => `${role}=${version}`);
  return `give the aliases back that were there: ${aliases.join(", ")}; the rotator moves them on when it is safe`;
}

/** It was no member while the mesh changed its root: nobody else trusts it, and there is no step between the two bundles. */
function missedRotation(held: readonly number[], clusterId: string): Finding {
  return finding(
    "RotationMissed",
    `the member trusts root version ${held.join(", ")} alone, which the mesh has retired: it was away during a rotation`,
    "its workloads have to be cut off once, an outage: kubectl -n istio-system delete secret cacerts, and when Meshjoin has issued another, restart istiod and them",
    clusterId,
  );
}
