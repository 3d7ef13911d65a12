import { Command } from "commander";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { breakTraffic, CONTROL_NAME } from "../../traffic/control.ts";
import { renderCounts, renderFailures, type StepCounts } from "../../traffic/tally.ts";
import { startTraffic } from "../../traffic/traffic.ts";
import { runDemo } from "../run-demo.ts";
import { narrateTraffic } from "./live.ts";
import { STEPS } from "./steps.ts";
import { SHORTEST_TOKEN_TTL, tokenExpiries } from "./tokens.ts";

/** What `--json` prints: `control` is broken on purpose and no part of `failed`. */
interface RotationResult {
  readonly ok: boolean;
  readonly requests: number;
  readonly failed: number;
  readonly steps: readonly StepCounts[];
  readonly control: StepCounts;
}

/** Certificates are renewed every half minute, so that each step sees both sides with new ones. */
const SETTINGS = {
  MESHJOIN_WORKLOAD_TTL: "60s",
  MESHJOIN_CLOCK_SKEW: "5s",
  MESHJOIN_INTERMEDIATE_TTL: "24h",
  MESHJOIN_TOKEN_TTL: SHORTEST_TOKEN_TTL,
};

function parseFlags(argv: readonly string[]): { readonly json: boolean } {
  return new Command()
    .name("npm run demo:rotation --")
    .description(
      "Watch requests between two clusters, each over a new mutual TLS connection, while the mesh changes under them",
    )
    .option("--json", "end with one line of JSON", false)
    .allowExcessArguments(false)
    .parse(argv)
    .opts<{ json: boolean }>();
}

async function demonstrate(fleet: SandboxFleet, say: (line: string) => void): Promise<RotationResult> {
  const stop = new AbortController();
  const traffic = await startTraffic(fleet);
  say("\nRequests flow: 40 a second, each over a mutual TLS connection of its own, never a second try.");
  const narrating = narrateTraffic(traffic, say, stop.signal);
  try {
    const world = { fleet, traffic, tokens: await tokenExpiries(fleet), say };
    const steps: StepCounts[] = [];
    for (const step of STEPS) {
      say(`\n${step.name}`);
      const counts = await traffic.step(step.name, () => step.run(world));
      say(`  done: ${renderCounts(counts)}${renderFailures(counts)}`);
      steps.push(counts);
    }
    const { requests, failed } = traffic.counts();
    say(`\n${CONTROL_NAME}`);
    const control = await breakTraffic(fleet, traffic);
    say(`  done, and put back: ${renderCounts(control)}`);
    return { ok: failed === 0 && control.failed > 0, requests, failed, steps, control };
  } finally {
    stop.abort();
    await narrating;
  }
}

function conclude({ requests, failed, control }: RotationResult): string {
  const seen =
    control.failed > 0 ? "so failures are seen" : "so nothing is proved: a failure would not be seen";
  return `${renderCounts({ requests, failed })}; in the wrong order ${control.failed} failed, ${seen}.`;
}

const { json } = parseFlags(process.argv);
await runDemo({
  prefix: "meshjoin-rotation-",
  json,
  opening: "Starting two real Kubernetes control planes with istiod, and a sidecar in each.",
  fleet: { members: 2, traffic: true, env: { ...process.env, ...SETTINGS } },
  demonstrate,
  conclude,
});
