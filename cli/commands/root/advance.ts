import { Option } from "commander";
import { ROOT_CONFIRMABLE, type RootConfirmable } from "../../../shared/rotate/rotate.ts";
import { command } from "../../command.ts";
import { move } from "./moved.ts";

interface AdvanceOptions {
  readonly without?: readonly string[];
  readonly confirm?: readonly RootConfirmable[];
}

export const advance = command<AdvanceOptions>({
  name: "advance",
  description: "move the rotation on to its next stage, if this one is over; also while it is paused",
  declare: (bare) =>
    bare
      .option(
        "--without <CLUSTER...>",
        "cluster IDs that are no members and will never come back: no stage of this rotation waits for them",
      )
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "NotConfigured: no member is where this configuration does not look, though this rotation has looked there",
        ).choices(ROOT_CONFIRMABLE),
      ),
  notes: "If a cluster that you name still runs, its workloads are cut off when the old root leaves.",
  examples: ["meshjoin root advance", "meshjoin root advance --without cn-shop-europe-west1-old"],
  run: async (session, wishes) => await move(session, "advance", wishes),
});
