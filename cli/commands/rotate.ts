import { count } from "../../shared/core/count.ts";
import { isReachable } from "../../shared/core/member/observation.ts";
import { stageOf } from "../../shared/core/roots/stages.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { rotateIntermediates } from "../../shared/rotate/rotate.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption } from "../command.ts";
import { type Foresight, graveCommand } from "../grave-command.ts";
import { namesIn } from "../mesh-names.ts";
import { exitCodeOfRun, showReconciled } from "../reconciled.ts";
import type { Session } from "../session.ts";
import { inScope, unseenOf } from "../unseen.ts";

interface RotateOptions extends ClusterOption {
  readonly compromised?: boolean;
}

/** Replaces intermediates that were issued before now. */
export const rotate = graveCommand<RotateOptions, string>({
  name: "rotate",
  description: "replace intermediate CAs, a share of the members at a time; stops at the first that fails",
  declare: (bare) =>
    bare.addOption(clusterOption()).option("--compromised", "all members at once: a key has been stolen"),
  notes:
    "An intermediate that was stolen stays trusted until it expires or the root is rotated: meshjoin root rotate.",
  examples: ["meshjoin rotate", "meshjoin rotate --cluster checkout --compromised"],
  foresee,
  async run(session, { cluster, compromised = false, shown }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, shown ?? cluster, session.say);
      const reason = compromised ? "compromise" : "manual";
      const reconciled = await rotateIntermediates(run, { scope, reason, givenAt: run.ports.clock.now() });
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});

async function foresee(
  session: Session,
  { cluster, compromised = false }: RotateOptions,
): Promise<Foresight<string>> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const mesh = await lookAtMesh(run, "mesh");
    const rotateBefore = run.ports.clock.now();
    const plan = await preview(run, { scope, reason: "rotate", rotateBefore }, mesh);
    const names = namesIn(mesh.members);
    const owners = mesh.members
      .filter(isReachable)
      .filter(({ state }) => state.cacerts?.owner === "ours")
      .map(({ clusterId }) => clusterId)
      .filter((id) => scope === "mesh" || id === scope.clusterId);
    const pace = compromised ? "all at once" : "a share of them at a time";
    const stage = stageOf(mesh.roots);
    return {
      effects: [
        `This replaces the intermediate CA of ${count(owners.length, "member")}, ${pace}: ${owners.map(names).join(", ") || "none has one"}. Workloads keep their certificates until they renew them.`,
        ...unseenOf(inScope(mesh.members, scope), names),
        ...(stage === "idle" ? [] : [`A root rotation is under way, at stage ${stage}.`]),
      ],
      plan,
      names,
      ...(scope === "mesh" ? {} : { shown: scope.clusterId }),
    };
  });
}
