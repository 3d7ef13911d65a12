import { Option } from "commander";
import type { Plan } from "../../shared/core/answers/plan.ts";
import type { Reason } from "../../shared/core/answers/reasons.ts";
import { count } from "../../shared/core/count.ts";
import { isReachable } from "../../shared/core/member/observation.ts";
import { silentIn, silentPeersOf } from "../../shared/core/member/reach.ts";
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
/** A restarted istiod begins without the pods of members whose API server is silent. */
const LOSS = "RollOutWaits" satisfies Reason;
const ROLLED_OUT: readonly Reason[] = [...CONFIRMED, "ControlPlaneOutdated"];

interface UpgradeOptions extends ClusterOption {
  readonly confirm?: readonly (typeof LOSS)[];
}

export const upgrade = graveCommand<UpgradeOptions, string>({
  name: "upgrade",
  description:
    "bring the members to the Istio of this build, one after the other; stops at the first that fails",
  declare: (bare) =>
    bare
      .addOption(clusterOption())
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "also members whose istiod loses the pods of a member that is silent",
        ).choices([LOSS]),
      ),
  notes:
    "A run begins no member that it may not finish. Exit code 3: run it again for the remaining members.",
  examples: ["meshjoin upgrade", "meshjoin upgrade --cluster checkout"],
  foresee: async (session, { cluster, confirm }) => await foresee(session, cluster, confirm),
  async run(session, { cluster, confirm, shown }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, shown ?? cluster, session.say);
      const reconciled = await reconcile(run, requestOf(scope, confirm));
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});

function requestOf(scope: Scope, confirm: readonly Reason[] = []) {
  return { scope, reason: "upgrade", confirm: [...CONFIRMED, ...confirm], rollOut: true };
}

async function foresee(
  session: Session,
  cluster: string | undefined,
  confirm: readonly Reason[] = [],
): Promise<Foresight<string>> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const mesh = await lookAtMesh(run, "mesh");
    const plan = await preview(run, requestOf(scope, confirm), mesh);
    const names = namesIn(mesh.members);
    const due = rolledOut(plan);
    const versions = mesh.members
      .filter(isReachable)
      .flatMap(({ clusterId, state }) =>
        due.has(clusterId)
          ? [`${names(clusterId)} (${state.controlPlane?.istioVersion ?? "no istiod"})`]
          : [],
      );
    const lossy = mesh.members
      .filter(isReachable)
      .filter(({ clusterId }) => due.has(clusterId))
      .filter((member) => silentPeersOf(member, silentIn([...mesh.members, ...mesh.leavers])).length > 0)
      .map(({ clusterId }) => names(clusterId));
    const unseen = unseenOf(inScope(mesh.members, scope), names);
    const effect =
      versions.length === 0
        ? `No member ${unseen.length === 0 ? "" : "that can be reached "}needs it: each runs Istio ${run.template.tag} as this build installs it.`
        : `This brings ${count(versions.length, "member")} to Istio ${run.template.tag} as this build installs it, one after the other: ${versions.join(", ")}. istiod of each restarts; sidecars stay as they are.`;
    return {
      effects: [effect, ...lossWords(lossy, confirm.includes(LOSS)), ...unseen],
      plan,
      names,
      ...(scope === "mesh" ? {} : { shown: scope.clusterId }),
    };
  });
}

/** What a silent member means for those whose istiods read it. */
function lossWords(readers: readonly string[], isConfirmed: boolean): readonly string[] {
  if (readers.length === 0) return [];
  const names = readers.join(", ");
  return isConfirmed
    ? [`istiod of ${names} loses the pods of each member whose API server is silent, until that answers.`]
    : [
        `${names} will wait: a restarted istiod would not know the pods of a member whose API server is silent.`,
      ];
}

/** IDs of the clusters whose control plane changes. */
function rolledOut({ actions }: Plan): ReadonlySet<string> {
  const due = actions.filter(({ findings }) => findings.some(({ reason }) => ROLLED_OUT.includes(reason)));
  return new Set(due.map(({ clusterId }) => clusterId));
}
