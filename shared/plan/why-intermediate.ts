import { type Finding, finding } from "../core/answers/finding.ts";
import { isIntermediateDue, wouldGainLife } from "../core/member/intermediate-life.ts";
import type { OwnCacerts } from "../core/member/observation.ts";
import { CACERTS } from "../core/names.ts";
import { formatRootVersions } from "../core/roots/state.ts";
import { sentenceTime } from "../core/time.ts";
import type { MemberContext } from "./context.ts";

type Cause = (cacerts: OwnCacerts, clusterId: string, context: MemberContext) => Finding | undefined;

const rootsHaveChanged: Cause = ({ rootVersions }, clusterId, { roots }) => {
  const current = formatRootVersions(roots.versions);
  if (rootVersions === current) return undefined;
  const why = `${CACERTS} is for root versions ${rootVersions}, and the mesh has ${current}`;
  return finding("CacertsOutdated", why, "nothing: Meshjoin issues a new intermediate", clusterId);
};

const newOneWasOrdered: Cause = ({ issuedAt }, clusterId, { rotateBefore, roots }) => {
  const orderedAt = latest(rotateBefore, roots.notes.rotateBefore);
  if (orderedAt === undefined || (issuedAt !== undefined && issuedAt >= orderedAt)) return undefined;
  return due(clusterId, `an order asked for another intermediate at ${sentenceTime(orderedAt)}`);
};

const itsLifeIsMostlyOver: Cause = (cacerts, clusterId, { spec, now }) =>
  isIntermediateDue(cacerts, clusterId, now) && wouldGainLife(cacerts, spec, now)
    ? due(clusterId, "two thirds of the life of the intermediate are over")
    : undefined;

const CAUSES: readonly Cause[] = [rootsHaveChanged, newOneWasOrdered, itsLifeIsMostlyOver];

/** The first cause to replace an intermediate; undefined where it stays. */
export function whyRenew(
  cacerts: OwnCacerts,
  clusterId: string,
  context: MemberContext,
): Finding | undefined {
  for (const cause of CAUSES) {
    const reason = cause(cacerts, clusterId, context);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function due(clusterId: string, message: string): Finding {
  return finding(
    "CertificateDue",
    message,
    "nothing: Meshjoin issues a new one when its turn comes",
    clusterId,
  );
}

function latest(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a !== undefined && (b === undefined || a > b) ? a : b;
}
