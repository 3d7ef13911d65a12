import { lookAtMesh } from "../../shared/look/mesh.ts";
import { preview } from "../../shared/preview.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { placed } from "../reconciled.ts";
import { renderPlan } from "../render/plan.ts";
import { namesFor } from "../screen.ts";

export const plan = command<ClusterOption>({
  name: "plan",
  description: "show what a sync would create, update and delete now, and why; writes nothing",
  declare: (bare) => bare.addOption(clusterOption()),
  examples: ["meshjoin plan", "meshjoin plan --cluster cn-shop-europe-west1-checkout"],
  async run(session, { cluster }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const mesh = await lookAtMesh(run, "mesh");
      const result = await preview(run, { scope, reason: "plan" }, mesh);
      session.show(result, (shown, screen) =>
        renderPlan(shown, screen, namesFor(screen, mesh.members.map(placed))),
      );
      return EXIT.done;
    });
  },
});
