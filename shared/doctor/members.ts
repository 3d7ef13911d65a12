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
import { ours } from "./google.ts";
import type { Grants } from "./grants.ts";

const MEMBERS_AT_ONCE = 8;
/** Access reviews of one member at the same time. */
const REVIEWS_AT_ONCE = 16;
const MEMBER_TIMEOUT_MS = 10_000;
/** A `Date` is cut off to the second. */
const DATE_GRAIN_S = 1;

export interface MembersQuestion {
  readonly spec: MeshSpec;
  readonly grants: Grants;
  /** The rotator orders no deep run; everybody else may. */
  readonly deep: boolean;
  /** What is wrong with the member itself counts as well; one account alone need say it. */
  readonly facts: boolean;
  /** Of all members together. */
  readonly signal?: AbortSignal;
}

type MemberPorts = Pick<Ports, "clock" | "fleet">;

/** Each member's API server as this process reaches it. Those that are well take one line, every fault takes one of its own. */
export async function checkMembers(
  ports: MemberPorts,
  members: readonly Cluster[],
  question: MembersQuestion,
): Promise<Check[]> {
  const limit = pLimit(MEMBERS_AT_ONCE);
  const checks = await Promise.all(
    members.map((cluster) => limit(() => checkMember(ports, cluster, question))),
  );
  return checks.flat();
}

async function checkMember(
  ports: MemberPorts,
  cluster: Cluster,
  question: MembersQuestion,
): Promise<Check[]> {
  const { spec, grants, facts, signal } = question;
  const id = clusterId(cluster.ref);
  const subject = { name: "member", account: grants.account, clusterId: id } as const;
  if (isOver(signal)) return [unknown(subject, "there was no time left to look", "ask for it alone")];
  const wrong = ({ message, cure }: Finding) => fault(subject, message, cure);
  const own = functionEndpoint(cluster, spec.accessFunction, id);
  if ("finding" in own) return [wrong(own.finding)];
  const { kind } = own.endpoint;
  const peers = peerEndpoint(cluster, spec.accessPeers, id);
  const refusal = needsNetAdmin(cluster);
  const timeout = AbortSignal.timeout(MEMBER_TIMEOUT_MS);
  try {
    const { missing, skew } = await look(ports, cluster, question, timeout);
    const wrongs = [
      ...(facts && "finding" in peers ? [wrong(peers.finding)] : []),
      ...(!facts || refusal === undefined ? [] : [wrong(refusal)]),
      ...(missing.length === 0
        ? []
        : [fault(subject, `not allowed: ${describePermissions(missing)}`, grants.clusterAdmin(cluster.ref))]),
      ...(skew === undefined
        ? [unknown(subject, "it does not tell the time, so how far the clocks are apart is not known")]
        : skew <= spec.clockSkew
          ? []
          : [
              fault(
                subject,
                `its clock and this one are ${skew} s apart`,
                "set this machine's clock, or raise MESHJOIN_CLOCK_SKEW",
              ),
            ]),
    ];
    const well = `reached over its ${kind} endpoint, all that is needed is allowed, clocks within ${(skew ?? 0) + DATE_GRAIN_S} s`;
    return wrongs.length > 0 ? wrongs : [fine(subject, well)];
  } catch (error) {
    const { code, message, retryable } = ours(error);
    if (isOver(signal)) return [unknown(subject, `${kind} endpoint: ${message}`, "ask for it alone")];
    // Slow or cut off: that is not to be told apart, and what it allows was not seen.
    const state = isOver(timeout) || (retryable && !facts) ? unknown : fault;
    return [state(subject, `${kind} endpoint: ${message}`, cureOf(code, cluster, kind, grants))];
  }
}

/** A function of its own: after an await the compiler would take an earlier answer for granted. */
function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

interface Seen {
  readonly missing: readonly Permission[];
  /** Whole seconds between its clock and ours, whichever is ahead. */
  readonly skew: number | undefined;
}

async function look(
  { fleet, clock }: MemberPorts,
  cluster: Cluster,
  { deep, signal: given }: MembersQuestion,
  timeout: AbortSignal,
): Promise<Seen> {
  const { access } = fleet.member(cluster);
  const signal = given === undefined ? timeout : AbortSignal.any([timeout, given]);
  const [skew, missing] = await Promise.all([
    skewOf(access, () => clock.now(), signal),
    missingPermissions(access, neededPermissions({ deep }), signal),
  ]);
  return { skew, missing };
}

/** What of it the account is not allowed, by its own question (SelfSubjectAccessReview). */
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

/** The answer was given between the question and its arrival. */
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
    ? `check that the cluster is well and that ${who} reaches it`
    : `let ${who} in (authorized networks), or use the DNS-based endpoint: ${updateClusterCommand(ref, "--enable-dns-access")}`;
}
