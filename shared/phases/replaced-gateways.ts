import { hideGateway, removeHiddenGateway } from "../apply/gateway.ts";
import { within } from "../async/within.ts";
import { outcomeOf } from "../core/answers/outcome.ts";
import { verifyMember } from "../look/istiods.ts";
import { planGateways, type ReplacedGateway } from "../plan/gateways.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { planContext } from "../plan-context.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Phase } from "./course.ts";
import { SECOND_LOOK_MS } from "./gateways.ts";

/**
 * Takes a gateway away beside which another one has come up. It is hidden when every istiod that reads the
 * cluster lists the other. It goes in a later run, when none has listed it for a while: proxies learn from
 * their istiod what to forget, and end what they have begun. A reader that cannot be asked keeps both.
 */
export const replacedGateways: Phase = async (run, { mesh, request }) => {
  if (mesh.isPartial || request.scope !== "mesh") return {};
  const { replaced } = planGateways(pairContextOf(mesh, planContext(run, request), "now"));
  return merge(...(await Promise.all(replaced.map((each) => replace(run, each)))));
};

async function replace(run: Run, replaced: ReplacedGateway): Promise<Partial<Report>> {
  const { member, action } = replaced;
  const { clusterId, cluster } = member;
  const { spec, ports, signal } = run;
  if (!(await isReplacementKnown(run, replaced))) return {};
  return await settle(
    clusterId,
    "its earlier gateway was taken away",
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const api = ports.fleet.member(cluster);
        const isDone =
          action.kind === "hideGateway"
            ? await hideGateway(api, action, { spec, now: ports.clock.now(), signal })
            : await removeHiddenGateway(api, action, spec.meshId, signal);
        if (!isDone) return {};
        const outcome = outcomeOf(action);
        run.progress({ step: action.kind, clusterId, outcome });
        return {
          members: [{ clusterId, outcome, findings: [], isAside: true }],
          findings: action.findings,
        };
      }),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ clusterId, outcome, findings: [finding], isAside: true }],
      errors: [error],
    }),
  );
}

/**
 * Every istiod of every reader lists a gateway of the cluster with another address than the old one, and, of
 * one that is to go, none with that.
 */
async function isReplacementKnown(
  { ports, signal }: Run,
  { member, old, network, readers, action }: ReplacedGateway,
) {
  const limit = within(signal, SECOND_LOOK_MS);
  const { clusterId } = member;
  const gateways = new Map([
    [clusterId, { network, besides: old.addresses, isAlone: action.kind === "removeGateway" }],
  ]);
  const answers = await Promise.all(
    readers.map(async (reader) => {
      if (reader.state.pods.length === 0) return false;
      const expectation = { member: reader, targets: [clusterId], gateways, intermediate: undefined };
      const { error, unsynced, heldBy, withoutGateway } = await verifyMember(ports, expectation, limit);
      return error === undefined && unsynced.size + heldBy.size + withoutGateway.size === 0;
    }),
  );
  return answers.every(Boolean);
}
