import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import { count } from "../../shared/core/count.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import type { Operator } from "../../shared/operator.ts";
import { planProbes } from "../../shared/plan/probes.ts";
import { planContext } from "../../shared/plan-context.ts";
import type { ProbedPair } from "../../shared/probe/ask-probes.ts";
import { askAsTheyAre, probeFindings } from "../../shared/probe/kept.ts";
import { MEMBER_TIMEOUT_MS } from "../../shared/status.ts";

const SUBJECT = { name: "requests", account: "caller" } as const;

/** Whether requests pass between members, by the probes that the configuration keeps; none: no check. */
export async function checkPassing(operator: Operator): Promise<Check[]> {
  if (operator.spec.probe === "off") return [];
  try {
    return await operator.withRun(
      () => undefined,
      async (run) => {
        const mesh = await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS });
        const pairs = await askAsTheyAre(run, mesh);
        const { keepers } = planProbes(mesh.members, mesh.leavers, planContext(run, { scope: "mesh" }));
        const ids = new Set(keepers.map(({ clusterId }) => clusterId));
        const found = probeFindings(
          pairs,
          (id) => ids.has(id),
          () => false,
        );
        if (found.length > 0) {
          return found.map(({ reason, message, cure, clusterId }) => {
            const subject = clusterId === undefined ? SUBJECT : { ...SUBJECT, clusterId };
            return (reason === "RequestsFail" ? fault : unknown)(subject, message, cure);
          });
        }
        return [told(pairs)];
      },
    );
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    return [unknown(SUBJECT, `it is not known whether requests pass: ${error.message}`, error.cure)];
  }
}

/** Where no member that keeps a probe has anything to tell. */
function told(pairs: readonly ProbedPair[]): Check {
  const due = pairs.filter(({ probe }) => probe.state !== "absentOnPurpose");
  const passed = due.filter(({ probe }) => probe.state === "passed");
  const unasked = due.length - passed.length;
  if (due.length === 0) return fine(SUBJECT, "there is no pair to ask about");
  if (unasked === 0) return fine(SUBJECT, `requests pass between ${count(due.length, "pair")} of members`);
  return unknown(
    SUBJECT,
    `nobody asked whether requests pass between ${unasked} of ${count(due.length, "pair")} of members`,
    "see to the members that keep no probe, or cannot be reached: meshjoin status",
  );
}
