import { Option } from "commander";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { CONFIRMABLE, type Confirmable, placed } from "../reconciled.ts";
import { renderPlan } from "../render/plan.ts";
import { namesFor } from "../screen.ts";

interface PlanOptions extends ClusterOption {
  readonly confirm?: readonly Confirmable[];
}

export const plan = command<PlanOptions>({
  name: "plan",
  description: "show what a sync would create, update and delete now, and why; writes nothing",
  declare: (bare) =>
    bare
      .addOption(clusterOption())
      .addOption(
        new Option("--confirm <REASON...>", "what a sync with the same confirmation would do").choices(
          CONFIRMABLE,
        ),
      ),
  examples: [
    "meshjoin plan",
    "meshjoin plan --cluster cn-shop-europe-west1-checkout",
    "meshjoin plan --confirm NetworkChanges",
  ],
  async run(session, { cluster, confirm = [] }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const mesh = await lookAtMesh(run, "mesh");
      const result = await preview(run, { scope, reason: "plan", confirm }, mesh);
      session.show(result, (shown, screen) =>
        renderPlan(shown, screen, namesFor(screen, mesh.members.map(placed))),
      );
      return EXIT.done;
    });
  },
});
