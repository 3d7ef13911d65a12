import { within } from "../async/within.ts";
import { type Finding, finding } from "../core/answers/finding.ts";
import { count } from "../core/count.ts";
import type { Mesh } from "../look/mesh.ts";
import type { Run } from "../run.ts";
import { type AskOptions, askProbes, type ProbedPair } from "./ask-probes.ts";
import { type Probes, seeProbes } from "./probes.ts";

/** Envoy itself answers within five seconds. */
const ASKING_MS = 6000;
/** Of probes that have been there for a while, one answer each is enough. */
const ONCE = 1;

/**
 * Asks each reader once for all its targets. Nothing is known of requests to a member whose probe is not
 * ready: its pod may be on its way to another node. It reports no step: a look that comes again and again has
 * none.
 */
export async function askKept(
  run: Run,
  mesh: Mesh,
  probes: Probes,
  options: Omit<AskOptions, "rounds">,
): Promise<ProbedPair[]> {
  const awake = new Map(
    [...probes].map(([id, each]) => [
      id,
      each.state === "asleep" ? { ...each, state: "gone" as const } : each,
    ]),
  );
  const silent = { ...run, progress: () => undefined };
  return await askProbes(silent, mesh, awake, { ...options, rounds: ONCE });
}

/** The probes as they are, now, for a look that writes nothing. */
export async function askAsTheyAre(run: Run, mesh: Mesh): Promise<ProbedPair[]> {
  const signal = within(run.signal, ASKING_MS);
  return await askKept(run, mesh, await seeProbes(run, mesh.members, signal), { settleMs: 0, signal });
}

/**
 * Of the pairs whose requests do not pass, and of those where nobody knows, one for each reader and cause: a
 * firewall that is shut fails many pairs at once. `isKeeper`: the member keeps a probe; what keeps another
 * one from it is a finding of its own. `isTold`: another finding tells already that the pair does not work.
 */
export function probeFindings(
  pairs: readonly ProbedPair[],
  isKeeper: (clusterId: string) => boolean,
  isTold: (pair: ProbedPair) => boolean,
): Finding[] {
  const asked = pairs.filter(({ reader, target }) => isKeeper(reader) && isKeeper(target));
  const troubled = asked.filter(
    (pair) => (pair.probe.state === "failed" && !isTold(pair)) || pair.probe.state === "unknown",
  );
  const alike = Map.groupBy(troubled, ({ reader, probe: { state, cause = "" } }) =>
    [reader, state, cause].join(" "),
  );
  return [...alike.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : told(first, others),
  );
}

function told({ reader, target, probe }: ProbedPair, others: readonly ProbedPair[]): Finding {
  const { state, message = "it answers nothing", cure = "meshjoin check" } = probe;
  const whom = others.length === 0 ? target : `${target} and ${count(others.length, "other member")}`;
  return state === "failed"
    ? finding("RequestsFail", `no request from ${reader} to ${whom} passes: ${message}`, cure, reader)
    : finding(
        "RequestsUnknown",
        `it is not known whether requests from ${reader} to ${whom} pass: ${message}`,
        cure,
        reader,
      );
}
