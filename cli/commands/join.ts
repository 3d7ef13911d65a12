import { reconcile } from "../../shared/reconcile.ts";
import { clusterArgument, command } from "../command.ts";
import { showJoined } from "../joined.ts";
import { setMeshLabel } from "../mesh-label.ts";
import { exitCodeOfRun } from "../reconciled.ts";
import { labelOnly } from "./label.ts";

interface JoinOptions {
  readonly labelOnly?: boolean;
}

export const join = command<JoinOptions>({
  name: "join",
  description: "set the mesh label of a cluster and make it a member, from this machine",
  declare: (bare) =>
    bare
      .addArgument(clusterArgument())
      .option("--label-only", "set the label alone; the functions do the rest, as with meshjoin label"),
  examples: [
    "meshjoin join cn-shop-europe-west1-checkout",
    "meshjoin join projects/shop/locations/europe-west1/clusters/checkout",
  ],
  async run(session, options, name: string) {
    if (options.labelOnly === true) return await labelOnly(session, name);
    const { reconciled, joiner } = await session.withRun(async (run) => {
      const { id, cluster, label, changed } = await setMeshLabel(run, name);
      session.say(
        `${id} ${changed ? "is now labelled" : "is labelled already:"} ${label.key}=${label.value}`,
      );
      const request = { scope: { clusterId: id }, reason: "join" };
      return { reconciled: await reconcile(run, request, [cluster]), joiner: id };
    });
    await showJoined(session, reconciled, joiner);
    return exitCodeOfRun(reconciled);
  },
});
