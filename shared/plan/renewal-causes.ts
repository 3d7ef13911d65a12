import { type Finding, finding } from "../core/answers/finding.ts";
import { isIntermediateDue, wouldGainLife } from "../core/member/intermediate-life.ts";
import type { OwnCacerts } from "../core/member/observation.ts";
import { CACERTS } from "../core/names.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import type { MemberContext } from "./context.ts";

type Cause = (cacerts: OwnCacerts, clusterId: string, context: MemberContext) => Finding | undefined;

const rootsHaveChanged: Cause = ({ rootVersions }, clusterId, { roots }) => {
  const wanted = formatRootVersions(roots.versions);
  if (rootVersions === wanted) return undefined;
  const why = `${CACERTS} stands for root versions ${rootVersions}, and the mesh is at ${wanted}`;
  return finding("CacertsOutdated", why, "Meshjoin issues a new intermediate", clusterId);
};

const anotherWasOrdered: Cause = ({ issuedAt }, clusterId, { rotateBefore, roots }) => {
  const ordered = latest(rotateBefore, roots.notes.rotateBefore);
  if (ordered === undefined || (issuedAt !== undefined && issuedAt >= ordered)) return undefined;
  return due(clusterId, `the intermediate is to be replaced, as was ordered at ${ordered.toISOString()}`);
};

const itsLifeIsMostlyOver: Cause = (cacerts, clusterId, { spec, now }) =>
  isIntermediateDue(cacerts, clusterId, now) && wouldGainLife(cacerts, spec, now)
    ? due(clusterId, "two thirds of the life of the intermediate are over")
    : undefined;

const CAUSES: readonly Cause[] = [rootsHaveChanged, anotherWasOrdered, itsLifeIsMostlyOver];

/** Why an intermediate that is served is replaced, the first cause that holds; undefined where it stays. */
export function whyRenew(
  cacerts: OwnCacerts,
  clusterId: string,
  context: MemberContext,
): Finding | undefined {
  for (const cause of CAUSES) {
    const found = cause(cacerts, clusterId, context);
    if (found !== undefined) return found;
  }
  return undefined;
}

function due(clusterId: string, message: string): Finding {
  return finding("CertificateDue", message, "Meshjoin issues a new one when its turn comes", clusterId);
}

function latest(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a !== undefined && (b === undefined || a > b) ? a : b;
}
