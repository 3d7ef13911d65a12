import { rotateIntermediates } from "../../shared/rotate/rotate.ts";
import { scopeOf } from "../cluster.ts";
import { type ClusterOption, clusterOption, command } from "../command.ts";
import { exitCodeOfRun, showReconciled } from "../reconciled.ts";

interface RotateOptions extends ClusterOption {
  readonly compromised?: boolean;
}

/** Replaces intermediates that were issued before now. */
export const rotate = command<RotateOptions>({
  name: "rotate",
  description: "replace intermediate CAs, a share of the members at a time; stops at the first that fails",
  declare: (bare) =>
    bare.addOption(clusterOption()).option("--compromised", "all members at once: a key has been stolen"),
  notes:
    "An intermediate that was stolen stays trusted until it expires or the root is rotated: meshjoin root rotate.",
  examples: ["meshjoin rotate", "meshjoin rotate --cluster cn-shop-europe-west1-checkout --compromised"],
  async run(session, { cluster, compromised = false }) {
    return await session.withRun(async (run) => {
      const scope = await scopeOf(run, cluster, session.say);
      const reason = compromised ? "compromise" : "manual";
      const reconciled = await rotateIntermediates(run, { scope, reason, givenAt: run.ports.clock.now() });
      showReconciled(session, reconciled);
      return exitCodeOfRun(reconciled);
    });
  },
});
