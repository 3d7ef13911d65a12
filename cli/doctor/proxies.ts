import pLimit from "p-limit";
import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import type { Finding } from "../../shared/core/answers/finding.ts";
import type { Cluster } from "../../shared/core/cluster/cluster.ts";
import { isReachable, type ReachableMember } from "../../shared/core/member/observation.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import { observeMembers } from "../../shared/look/members.ts";
import { outdatedProxies } from "../../shared/look/outdated-proxies.ts";
import type { Operator, OperatorRun } from "../../shared/operator.ts";
import { settle } from "../../shared/report.ts";
import { MEMBER_TIMEOUT_MS } from "../../shared/status.ts";
import { proxiesOfAnotherHub } from "./proxy-hubs.ts";

/** The answers of a large member are some 100 MB. */
const MEMBERS_AT_ONCE = 1;
const SUBJECT = { name: "proxies", account: "caller" } as const;

/** Whether the proxies of each member with a living istiod are of its release, and from its registry. */
export async function checkProxies(operator: Operator, clusters: readonly Cluster[]): Promise<Check[]> {
  try {
    return await operator.withRun(
      () => undefined,
      async (run) => {
        const members = await observeMembers(run, clusters, { depth: "peer", timeoutMs: MEMBER_TIMEOUT_MS });
        const asked = members.filter(isReachable).filter(({ state }) => state.pods.length > 0);
        const limit = pLimit(MEMBERS_AT_ONCE);
        const checks = await Promise.all(
          asked.flatMap((member) => [
            checkMember(run, member, () => outdatedProxies(run, member)),
            limit(() => checkMember(run, member, () => proxiesOfAnotherHub(run, member))),
          ]),
        ).then((all) => all.flat());
        if (checks.length > 0 || asked.length === 0) return checks;
        const some =
          asked.length === clusters.length ? "" : `, in the ${asked.length} members that could be asked`;
        return [fine(SUBJECT, `every connected proxy is of the release of its istiod${some}`)];
      },
    );
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    return [unknown(SUBJECT, `it is not known which releases proxies are of: ${error.message}`, error.cure)];
  }
}

async function checkMember(
  run: OperatorRun,
  member: ReachableMember,
  look: () => Promise<Pick<Finding, "message" | "cure"> | undefined>,
): Promise<Check[]> {
  const subject = { ...SUBJECT, clusterId: member.clusterId };
  return await settle(
    member.clusterId,
    "its proxies were counted",
    async (): Promise<Check[]> => {
      const found = await run.inTurn(look);
      return found === undefined ? [] : [fault(subject, found.message, found.cure)];
    },
    ({ finding }): Check[] => [unknown(subject, finding.message, finding.cure)],
  );
}
