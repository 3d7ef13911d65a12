import { reconcile } from "../../shared/reconcile.ts";
import { clusterArgument, command } from "../command.ts";
import { removeMeshLabel } from "../mesh-label.ts";
import { exitCodeOfRun, showReconciled } from "../reconciled.ts";

export const leave = command({
  name: "leave",
  description: "take the mesh label off a cluster and remove the members' credentials of it",
  declare: (bare) => bare.addArgument(clusterArgument()),
  notes:
    "The cluster keeps its istiod and its CA, which the members trust until it expires or the root is rotated.",
  examples: ["meshjoin leave cn-shop-europe-west1-checkout"],
  async run(session, _, name: string) {
    return await session.withRun(async (run) => {
      const { id, cluster, changed } = await removeMeshLabel(run, name);
      session.say(`${id} ${changed ? "has lost the" : "has no"} label ${run.spec.meshLabel}`);
      const reconciled = await reconcile(run, { scope: "mesh", reason: "leave", leaving: [id] }, [cluster]);
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});
