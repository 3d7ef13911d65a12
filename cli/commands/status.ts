import { Option } from "commander";
import type { Status } from "../../shared/core/answers/status.ts";
import { type Health, verdictOf } from "../../shared/core/answers/verdict.ts";
import { collectStatus } from "../../shared/status.ts";
import { seconds } from "../arguments.ts";
import { command } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { renderStatus } from "../render/status.ts";
import type { Session } from "../session.ts";
import { waitFor } from "../wait.ts";
import { watch } from "../watch.ts";

interface StatusOptions {
  readonly exitCode?: boolean;
  readonly watch?: boolean;
  /** True for the option without a value. */
  readonly wait?: string | true;
  /** Seconds. */
  readonly timeout?: number;
}

const TIMEOUT_S = 300;

const EXIT_CODES: Readonly<Record<Health, ExitCode>> = {
  whole: EXIT.done,
  degraded: EXIT.degraded,
  broken: EXIT.broken,
};

export const status = command<StatusOptions>({
  name: "status",
  description: "show a verdict, every member, and the pairs that are not synced; writes nothing",
  declare: (bare) =>
    bare
      .addOption(
        new Option("--exit-code", "end with 4 if the mesh is degraded, with 5 if it is broken").conflicts([
          "wait",
          "watch",
        ]),
      )
      .addOption(
        new Option(
          "--wait [GOAL]",
          "wait until all pairs are synced (synced, the default), until the mesh is whole (whole), or until a cluster is " +
            "a member with all its pairs synced (its name)",
        ).conflicts("watch"),
      )
      .addOption(
        new Option(
          "--timeout <DURATION>",
          'with --wait: how long, like 90s or 10m (default: "5m")',
        ).argParser(seconds),
      )
      .option("--watch", "look again every five seconds, until Ctrl-C")
      .hook("preAction", (parsed) => {
        const { timeout, wait } = parsed.opts<StatusOptions>();
        if (timeout === undefined || wait !== undefined) return;
        parsed.error("error: option '--timeout <DURATION>' cannot be used without option '--wait'");
      }),
  notes:
    "Whole: every member is reachable, every pair is synced, and nothing is found. Degraded: it works, and a person\n" +
    "should act, or something is not known. Broken: an error, or a pair that should be synced is not.\n" +
    "--wait ends with 0 when the goal is reached, and with 3 after the timeout; a cluster that GKE does not list is wrong\n" +
    "usage. A table leaves columns out where the\n" +
    "terminal is narrow; --output wide has all of them, full IDs, and what happened lately.",
  examples: [
    "meshjoin status",
    "meshjoin status --exit-code || meshjoin doctor",
    "meshjoin status --wait=whole --timeout 10m",
    "meshjoin status --output json | jq '.pairs'",
  ],
  async run(session, { exitCode = false, watch: watches = false, wait, timeout = TIMEOUT_S }) {
    if (wait !== undefined) {
      const goal = wait === true ? "synced" : wait;
      return await waitFor(session, { goal, timeoutMs: timeout * 1000 });
    }
    if (watches) return await watch(session, look);
    const seen = await look(session);
    return exitCode ? EXIT_CODES[verdictOf(seen).health] : EXIT.done;
  },
});

/** Shows the mesh as it is now. */
async function look(session: Session): Promise<Status> {
  const seen = await session.withRun((run) => collectStatus(run));
  session.show(seen, renderStatus);
  return seen;
}
