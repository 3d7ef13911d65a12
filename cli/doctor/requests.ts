import { type Check, fault, fine, unknown } from "../../shared/core/answers/check.ts";
import { count } from "../../shared/core/count.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import type { Operator } from "../../shared/operator.ts";
import { planProbes } from "../../shared/plan/probes.ts";
import { planContext } from "../../shared/plan-context.ts";
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
        const passed = pairs.filter(({ probe }) => probe.state === "passed").length;
        return [
          fine(SUBJECT, `requests pass between ${passed} of ${count(pairs.length, "pair")} of members`),
        ];
      },
    );
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    return [unknown(SUBJECT, `it is not known whether requests pass: ${error.message}`, error.cure)];
  }
}
