import pLimit from "p-limit";
import { type Check, fault, fine, unknown } from "../core/answers/check.ts";
import type { ErrorCode } from "../core/answers/error-codes.ts";
import type { Finding } from "../core/answers/finding.ts";
import { needsNetAdmin } from "../core/cluster/autopilot.ts";
import type { Cluster, EndpointKind } from "../core/cluster/cluster.ts";
import { functionEndpoint, peerEndpoint } from "../core/cluster/endpoints.ts";
import { updateClusterCommand } from "../core/cluster/gcloud.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { describePermissions, neededPermissions } from "../istio/needed-permissions.ts";
import type { AccessReview, Permission } from "../ports/member-api.ts";
import type { Ports } from "../ports/ports.ts";
import { settle } from "../report.ts";
import { ours } from "./google.ts";
import type { Grants } from "./grants.ts";

const MEMBERS_AT_ONCE = 8;
/** Access reviews of one member at the same time. */
const REVIEWS_AT_ONCE = 16;
export const MEMBER_CHECK_MS = 10_000;
/** A `Date` header has whole seconds. */
const DATE_GRAIN_S = 1;

export interface MembersQuestion {
  readonly spec: MeshSpec;
  readonly grants: Grants;
  /** Include the permissions of a deep run; the rotator makes none. */
  readonly deep: boolean;
  /** Report faults of the member itself as well; one account is enough to do so. */
  readonly facts: boolean;
  /** Of all members together. */
  readonly signal?: AbortSignal;
}

type MemberPorts = Pick<Ports, "clock" | "fleet">;

/** Checks each member's API server from this process: one line for a well member, else one for each fault. */
export async function checkMembers(
  ports: MemberPorts,
  members: readonly Cluster[],
  question: MembersQuestion,
): Promise<Check[]> {
  const limit = pLimit(MEMBERS_AT_ONCE);
  const checks = await Promise.all(
    members.map((cluster) => limit(() => checkApart(ports, cluster, question))),
  );
  return checks.flat();
}

/** What nobody foresaw is the trouble of its one member. It may quote what the cluster said. */
async function checkApart(ports: MemberPorts, cluster: Cluster, question: MembersQuestion): Promise<Check[]> {
  const id = clusterId(cluster.ref);
  return await settle(
    id,
    "it was checked",
    () => checkMember(ports, cluster, question),
    ({ error }) => [
      unknown(
        { name: "member", account: question.grants.account, clusterId: id },
        error.message,
        "report it as a fault of Meshjoin",
      ),
    ],
  );
}

async function checkMember(
  ports: MemberPorts,
  cluster: Cluster,
  question: MembersQuestion,
): Promise<Check[]> {
  const { spec, grants, facts, signal } = question;
  const id = clusterId(cluster.ref);
  const subject = { name: "member", account: grants.account, clusterId: id } as const;
  if (isOver(signal))
    return [unknown(subject, "the time was over before it was checked", "ask for it alone")];
  const faultOf = ({ message, cure }: Finding) => fault(subject, message, cure);
  const own = functionEndpoint(cluster, spec.accessFunction, id);
  if ("finding" in own) return [faultOf(own.finding)];
  const { kind } = own.endpoint;
  const peers = peerEndpoint(cluster, spec.accessPeers, id);
  const refusal = needsNetAdmin(cluster);
  const timeout = AbortSignal.timeout(MEMBER_CHECK_MS);
  try {
    const { missing, skew } = await look(ports, cluster, question, timeout);
    const faults = [
      ...(facts && "finding" in peers ? [faultOf(peers.finding)] : []),
      ...(!facts || refusal === undefined ? [] : [faultOf(refusal)]),
      ...(missing.length === 0
        ? []
        : [fault(subject, `not allowed: ${describePermissions(missing)}`, grants.clusterAdmin(cluster.ref))]),
      ...(skew === undefined
        ? [unknown(subject, "it does not tell its time, so the skew of the clocks is not known")]
        : skew <= spec.clockSkew
          ? []
          : [
              fault(
                subject,
                `its clock and this one are ${skew} s apart`,
                grants.account === "caller"
                  ? "set this machine's clock, or raise MESHJOIN_CLOCK_SKEW"
                  : "wait for Google to set them, or raise MESHJOIN_CLOCK_SKEW of the functions",
              ),
            ]),
    ];
    const well = `reached over its ${kind} endpoint, every needed permission is granted, clocks within ${(skew ?? 0) + DATE_GRAIN_S} s`;
    return faults.length > 0 ? faults : [fine(subject, well)];
  } catch (error) {
    const { code, message, retryable } = ours(error);
    if (isOver(signal)) return [unknown(subject, `${kind} endpoint: ${message}`, "ask for it alone")];
    // A slow member and one that is cut off look the same, and its permissions were not seen.
    const state = isOver(timeout) || (retryable && !facts) ? unknown : fault;
    return [state(subject, `${kind} endpoint: ${message}`, cureOf(code, cluster, kind, grants))];
  }
}

/** A function, because after an `await` the compiler would still trust an earlier comparison. */
function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

interface MemberLook {
  readonly missing: readonly Permission[];
  /** Whole seconds between the member's clock and this one; never negative. */
  readonly skew: number | undefined;
}

async function look(
  { fleet, clock }: MemberPorts,
  cluster: Cluster,
  { deep, signal: callersSignal }: MembersQuestion,
  timeout: AbortSignal,
): Promise<MemberLook> {
  const { access } = fleet.member(cluster);
  const signal = callersSignal === undefined ? timeout : AbortSignal.any([timeout, callersSignal]);
  const [skew, missing] = await Promise.all([
    skewOf(access, () => clock.now(), signal),
    missingPermissions(access, neededPermissions({ deep }), signal),
  ]);
  return { skew, missing };
}

/** The needed permissions that the account lacks, asked under its own name (SelfSubjectAccessReview). */
export async function missingPermissions(
  access: AccessReview,
  needed: readonly Permission[],
  signal: AbortSignal,
): Promise<readonly Permission[]> {
  const limit = pLimit(REVIEWS_AT_ONCE);
  const allowed = await Promise.all(
    needed.map((permission) => limit(() => access.isAllowed(permission, signal))),
  );
  return needed.filter((_, index) => allowed[index] !== true);
}

/** The server read its clock between the question and the arrival of the answer. */
async function skewOf(
  access: AccessReview,
  now: () => Date,
  signal: AbortSignal,
): Promise<number | undefined> {
  const before = now().getTime();
  const theirs = (await access.serverTime(signal))?.getTime();
  if (theirs === undefined) return undefined;
  const after = now().getTime();
  const ms = Math.max(before - theirs - DATE_GRAIN_S * 1000, theirs - after, 0);
  return Math.floor(ms / 1000);
}

function cureOf(
  code: ErrorCode,
  { ref, endpoints }: Cluster,
  kind: EndpointKind,
  { account, clusterAdmin }: Grants,
): string {
  if (code === "Forbidden" || code === "Unauthorized") return clusterAdmin(ref);
  const who = account === "caller" ? "this machine" : `the ${account}`;
  return kind === "dns" || endpoints.dns === undefined
    ? `check that the cluster is healthy and that ${who} reaches it`
    : `admit ${who} to the authorized networks, or use the DNS-based endpoint: ${updateClusterCommand(ref, "--enable-dns-access")}`;
}
