import { preview } from "../../shared/preview.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { renderPlan } from "../render/plan.ts";

export const plan = command<ClusterOption>({
  name: "plan",
  description: "show what a sync would create, update and delete now, and why; writes nothing",
  declare: (bare) => bare.addOption(clusterOption()),
  examples: ["meshjoin plan", "meshjoin plan --cluster cn-shop-europe-west1-checkout"],
  async run(session, { cluster }) {
    const result = await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      return await preview(run, { scope, reason: "plan" });
    });
    session.show(result, renderPlan);
    return EXIT.done;
  },
});
