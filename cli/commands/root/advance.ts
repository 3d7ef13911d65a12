import { Option } from "commander";
import { ROOT_CONFIRMABLE, type RootConfirmable } from "../../../shared/rotate/rotate.ts";
import { command } from "../../command.ts";
import { EXIT } from "../../exit-code.ts";
import type { Session } from "../../session.ts";
import { move } from "./moved.ts";

interface AdvanceOptions {
  readonly yes?: boolean;
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
      .option("--yes", "ask nothing")
      .addOption(
        new Option(
          "--confirm <REASON...>",
          "NotConfigured: no member is where this configuration does not look, though this rotation has looked there",
        ).choices(ROOT_CONFIRMABLE),
      ),
  notes:
    "If a cluster that you name with --without still runs, its workloads are cut off when the old root leaves. So it asks\n" +
    "on a terminal before it leaves one out.",
  examples: ["meshjoin root advance", "meshjoin root advance --without cn-shop-europe-west1-old"],
  async run(session, { yes = false, ...wishes }) {
    if (!yes && !(await isMeant(session, wishes.without))) return EXIT.failed;
    return await move(session, "advance", wishes);
  },
});

async function isMeant({ ask, say }: Session, without: readonly string[] = []): Promise<boolean> {
  if (without.length === 0 || ask === undefined) return true;
  say(
    `No stage of this rotation waits for ${without.join(", ")} any more. What still runs there is cut off when the old root leaves: its workloads trust no other.`,
  );
  return await ask("Continue?");
}
