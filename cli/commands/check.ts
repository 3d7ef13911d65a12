import { randomBytes } from "node:crypto";
import { InvalidArgumentError, Option } from "commander";
import type { Finding } from "../../shared/core/answers/finding.ts";
import { count } from "../../shared/core/count.ts";
import type { Member } from "../../shared/core/member/observation.ts";
import { clusterId } from "../../shared/core/names.ts";
import { PROBE_NAMESPACE } from "../../shared/core/probe/wire.ts";
import { InputError } from "../../shared/errors.ts";
import { lookAtMesh } from "../../shared/look/mesh.ts";
import type { OperatorRun } from "../../shared/operator.ts";
import { type Checked, checkRequests } from "../../shared/probe/check.ts";
import { seconds } from "../arguments.ts";
import { findCluster } from "../cluster.ts";
import { command } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { placed } from "../reconciled.ts";
import { renderChecked } from "../render/checked.ts";
import { namesFor } from "../screen.ts";
import type { Session } from "../session.ts";

interface CheckCommandOptions {
  readonly pair?: readonly string[];
  readonly keep?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface CheckResult extends Checked {
  readonly keptUntil: string | null;
  /** What the look could not see: there may be more members. */
  readonly findings: readonly Finding[];
}

const TIMEOUT_S = 120;
const KEPT_MS = 3_600_000;
/** A member that takes longer counts as unreachable. */
const MEMBER_TIMEOUT_MS = 10_000;

export const check = command<CheckCommandOptions>({
  name: "check",
  description: "send requests between all members, by mutual TLS and through gateways, and show which pass",
  declare: (bare) =>
    bare
      .addOption(new Option("--pair <A,B>", "between these two clusters alone").argParser(two))
      .option("--keep", "leave the probes in the clusters for an hour")
      .addOption(
        new Option(
          "--timeout <DURATION>",
          'how long to wait for probes that are not ready, like 90s or 5m (default: "2m")',
        ).argParser(seconds),
      ),
  notes:
    `It writes to the clusters: a probe, in namespace ${PROBE_NAMESPACE} of each member, and a Secret in istio-system that\n` +
    "says until when it is wanted. It changes no traffic, so it does not ask first. It deletes both at its end, also after\n" +
    "Ctrl-C; what a killed check leaves, the next full run deletes when that time has passed.\n" +
    "Exit codes: 0 all pass, 1 some fail, 3 none fails, but some could not be asked. A pair that should carry no request is\n" +
    "absent on purpose, and no failure.",
  examples: [
    "meshjoin check",
    "meshjoin check --pair checkout,search",
    "meshjoin check -o json | jq '.pairs'",
  ],
  async run(session, { pair, keep = false, timeout = TIMEOUT_S }) {
    const stop = new AbortController();
    void stopWhenTold(session, stop);
    return await session.withRun(async (run) => {
      const mesh = await lookAtMesh(run, "mesh", { memberTimeoutMs: MEMBER_TIMEOUT_MS });
      const among = pair === undefined ? mesh.members : await membersOf(run, mesh.members, pair);
      const keptUntil = keep ? new Date(run.ports.clock.now().getTime() + KEPT_MS) : undefined;
      announce(session, among, keptUntil);
      const checked = await checkRequests(run, mesh, {
        among,
        user: randomBytes(4).toString("hex"),
        readyMs: timeout * 1000,
        keptUntil,
        signal: stop.signal,
      });
      const isKept = keptUntil !== undefined && !stop.signal.aborted;
      const result: CheckResult = {
        ...checked,
        keptUntil: isKept ? keptUntil.toISOString() : null,
        findings: pair === undefined ? mesh.listing.findings : [],
      };
      session.show(result, (shown, screen) =>
        renderChecked(shown, screen, namesFor(screen, mesh.members.map(placed))),
      );
      return exitCodeOf(result);
    });
  },
});

async function stopWhenTold({ host, tell }: Session, stop: AbortController): Promise<void> {
  await host.stopped();
  tell("ending: the probes are being deleted");
  stop.abort();
}

function announce(session: Session, among: readonly Member[], keptUntil: Date | undefined): void {
  const until = keptUntil === undefined ? "until the check is over" : `until ${keptUntil.toISOString()}`;
  session.say(
    `writes a probe to ${count(among.length, "member")} (namespace ${PROBE_NAMESPACE}, a Secret in istio-system), ${until}`,
  );
}

async function membersOf(
  run: OperatorRun,
  members: readonly Member[],
  names: readonly string[],
): Promise<readonly Member[]> {
  const clusters = await Promise.all(names.map((name) => findCluster(run, name)));
  return clusters.map(({ ref }) => {
    const id = clusterId(ref);
    const member = members.find((each) => each.clusterId === id);
    if (member !== undefined) return member;
    throw new InputError(`${id} is no member of mesh ${run.spec.meshId}`, {
      code: "InvalidInput",
      cure: `meshjoin join ${id}`,
      field: "--pair",
    });
  });
}

/** All must pass, or be absent on purpose; what nobody asked is not known to pass. */
function exitCodeOf({ pairs, left, findings }: CheckResult): ExitCode {
  const states = new Set(pairs.map(({ probe }) => probe.state));
  if (states.has("failed")) return EXIT.failed;
  const isWhole = pairs.length > 0 && left.length === 0 && findings.length === 0;
  return isWhole && !states.has("unknown") && !states.has("none") ? EXIT.done : EXIT.retry;
}

function two(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  const [first, second] = names;
  if (names.length === 2 && first !== "" && second !== "" && first !== second) return names;
  throw new InvalidArgumentError("Give two clusters with a comma between them.");
}
