import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { narrateTraffic } from "./demo-rotation/live.ts";
import { STEPS } from "./demo-rotation/steps.ts";
import { SHORTEST_TOKEN_TTL, tokenExpiries } from "./demo-rotation/tokens.ts";
import { type SandboxFleet, startFleet } from "./fleet.ts";
import { breakTraffic, CONTROL_NAME } from "./traffic/control.ts";
import { renderCounts, type StepCounts } from "./traffic/tally.ts";
import { startTraffic } from "./traffic/traffic.ts";

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
      say(`  done: ${renderCounts(counts)}`);
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
const say = (line: string) => (json ? console.error(line) : console.log(line));
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());
const dir = await mkdtemp(join(tmpdir(), "meshjoin-rotation-"));
let fleet: SandboxFleet | undefined;
try {
  say("Starting two real Kubernetes control planes with istiod, and a sidecar in each.");
  const { signal } = interrupted;
  const env = { ...process.env, ...SETTINGS };
  fleet = await startFleet({ members: 2, dir, join: true, traffic: true, progress: say, signal, env });
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
  });
  const result = await Promise.race([demonstrate(fleet, say), stopped]);
  say(`\n${conclude(result)}`);
  if (json) console.log(JSON.stringify(result));
  process.exitCode = result.ok ? 0 : 1;
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  say("Stopping everything.");
  await fleet?.stop();
  if (process.exitCode === 0) await rm(dir, { recursive: true, force: true });
  else console.error(`Logs are kept in ${dir}`);
}
