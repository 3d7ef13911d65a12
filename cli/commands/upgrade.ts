import type { Plan } from "../../shared/core/answers/plan.ts";
import type { Reason } from "../../shared/core/answers/reasons.ts";
import { count } from "../../shared/core/count.ts";
import { isReachable } from "../../shared/core/member/observation.ts";
import type { Scope } from "../../shared/core/request.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption } from "../command.ts";
import { type Foresight, graveCommand } from "../grave-command.ts";
import { namesIn } from "../mesh-names.ts";
import { exitCodeOfRun, showReconciled } from "../reconciled.ts";
import type { Session } from "../session.ts";
import { inScope, unseenOf } from "../unseen.ts";

/** To run it is the confirmation that another version of Istio waits for. */
const CONFIRMED = ["IstioVersionDiffers"] as const satisfies Reason[];
const ROLLED_OUT: readonly Reason[] = [...CONFIRMED, "ControlPlaneOutdated"];

export const upgrade = graveCommand<ClusterOption, string>({
  name: "upgrade",
  description:
    "bring the members to the Istio of this build, one after the other; stops at the first that fails",
  declare: (bare) => bare.addOption(clusterOption()),
  notes:
    "A run begins no member that it may not finish. Exit code 3: run it again for the remaining members.",
  examples: ["meshjoin upgrade", "meshjoin upgrade --cluster checkout"],
  foresee: async (session, { cluster }) => await foresee(session, cluster),
  async run(session, { cluster, shown }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, shown ?? cluster, session.say);
      const reconciled = await reconcile(run, requestOf(scope));
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});

function requestOf(scope: Scope) {
  return { scope, reason: "upgrade", confirm: CONFIRMED, rollOut: true };
}

async function foresee(session: Session, cluster: string | undefined): Promise<Foresight<string>> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const mesh = await lookAtMesh(run, "mesh");
    const plan = await preview(run, requestOf(scope), mesh);
    const names = namesIn(mesh.members);
    const due = rolledOut(plan);
    const versions = mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) =>
        due.has(clusterId)
          ? [`${names(clusterId)} (${state.controlPlane?.istioVersion ?? "no istiod"})`]
          : [],
      );
    const unseen = unseenOf(inScope(mesh.members, scope), names);
    const effect =
      versions.length === 0
        ? `No member ${unseen.length === 0 ? "" : "that can be reached "}needs it: each runs Istio ${run.template.tag} as this build installs it.`
        : `This brings ${count(versions.length, "member")} to Istio ${run.template.tag} as this build installs it, one after the other: ${versions.join(", ")}. istiod of each restarts; sidecars stay as they are.`;
    return {
      effects: [effect, ...unseen],
      plan,
      names,
      ...(scope === "mesh" ? {} : { shown: scope.clusterId }),
    };
  });
}

/** IDs of the clusters whose control plane changes. */
function rolledOut({ actions }: Plan): ReadonlySet<string> {
  const due = actions.filter(({ findings }) => findings.some(({ reason }) => ROLLED_OUT.includes(reason)));
  return new Set(due.map(({ clusterId }) => clusterId));
}
