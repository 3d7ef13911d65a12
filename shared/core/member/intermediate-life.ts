import { type Finding, finding } from "../answers/finding.ts";
import { shareOf } from "../hash.ts";
import type { MeshSpec } from "../spec.ts";
import { sentenceTime } from "../time.ts";
import type { OwnCacerts } from "./observation.ts";

/** Renewal is due at two thirds of the life, or up to a tenth earlier: a mesh never renews at once. */
const RENEW_AT = 2 / 3;
const RENEW_SPREAD = 0.1;
/** With less than this share left, renewal has failed for long; then nothing holds it back any more. */
const EXPIRING = 1 / 6;
/** A renewal that would win less than this share of the life is pointless. */
const GAIN = 0.1;

type Life = Pick<OwnCacerts, "issuedAt" | "notAfter">;

/** From when on `isIntermediateDue`; undefined where its life is not known. */
export function intermediateDueAt({ issuedAt, notAfter }: Life, clusterId: string): Date | undefined {
  if (issuedAt === undefined || notAfter === undefined) return undefined;
  const life = notAfter.getTime() - issuedAt.getTime();
  const offset = shareOf(`intermediate of ${clusterId}`);
  return new Date(Math.ceil(issuedAt.getTime() + life * (RENEW_AT - RENEW_SPREAD * offset)));
}

/** A `cacerts` without dates was not written by Meshjoin: it is due. */
export function isIntermediateDue(life: Life, clusterId: string, now: Date): boolean {
  const due = intermediateDueAt(life, clusterId);
  return due === undefined || now >= due;
}

export function isIntermediateExpiring({ issuedAt, notAfter }: Life, now: Date): boolean {
  if (issuedAt === undefined || notAfter === undefined) return true;
  const life = notAfter.getTime() - issuedAt.getTime();
  return notAfter.getTime() - now.getTime() < life * EXPIRING;
}

export function certificateExpiring(cacerts: Life, clusterId: string, now: Date): Finding | undefined {
  if (cacerts.notAfter === undefined || !isIntermediateExpiring(cacerts, now)) return undefined;
  return finding(
    "CertificateExpiring",
    `the intermediate ends at ${sentenceTime(cacerts.notAfter)} and no run has renewed it`,
    `find the cause in the logs of on-rotation-request and sync-mesh, then renew it: meshjoin rotate --cluster ${clusterId}`,
    clusterId,
  );
}

/**
 * Whether another intermediate from the same root would live longer; none outlives the root. True where the
 * end of the root is unknown.
 */
export function wouldGainLife(
  { issuedAt, notAfter, rootNotAfter }: Life & Pick<OwnCacerts, "rootNotAfter">,
  { intermediateTtl }: Pick<MeshSpec, "intermediateTtl">,
  now: Date,
): boolean {
  if (issuedAt === undefined || notAfter === undefined || rootNotAfter === undefined) return true;
  const reachable = Math.min(now.getTime() + intermediateTtl * 1000, rootNotAfter.getTime());
  return reachable - notAfter.getTime() > (notAfter.getTime() - issuedAt.getTime()) * GAIN;
}

export function rootExpiring(rootNotAfter: Date, clusterId: string): Finding {
  return finding(
    "RootExpiring",
    `the intermediate is due, but a new one would hardly last longer: its root ends at ${sentenceTime(rootNotAfter)}`,
    "rotate the root: meshjoin root rotate",
    clusterId,
  );
}

/** There is no revocation: a stolen intermediate is valid until it expires. */
export function stillTrusted({ intermediateTtl }: Pick<MeshSpec, "intermediateTtl">, now: Date): Finding {
  const end = new Date(now.getTime() + intermediateTtl * 1000);
  return finding(
    "StolenIntermediateTrusted",
    `every intermediate that was issued before ${sentenceTime(now)} stays trusted until it expires, ${sentenceTime(end)} at the latest: a thief can still sign with one`,
    "rotate the root, and the mesh stops trusting it when the old root has left: meshjoin root rotate",
  );
}

/** Seconds before its end at which a root must be rotated: two lives of an intermediate and three stages. */
export function rotationLead({ intermediateTtl, workloadTtl }: MeshSpec): number {
  return 2 * intermediateTtl + 3 * workloadTtl;
}
