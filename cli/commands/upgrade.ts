import { reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { exitCodeOfRun, showReconciled } from "../reconciled.ts";

/** To run it is the confirmation that another version of Istio waits for. */
export const upgrade = command<ClusterOption>({
  name: "upgrade",
  description:
    "bring the members to the Istio of this build, one after the other; stops at the first that fails",
  declare: (bare) => bare.addOption(clusterOption()),
  notes:
    "A run begins no member that it may not finish. Exit code 3: run it again for the remaining members.",
  examples: ["meshjoin upgrade", "meshjoin upgrade --cluster cn-shop-europe-west1-checkout"],
  async run(session, { cluster }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const request = { scope, reason: "upgrade", confirm: ["IstioVersionDiffers"], rollOut: true };
      const reconciled = await reconcile(run, request);
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});
