import { Command } from "commander";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { renderCounts, renderFailures, type StepCounts } from "../../traffic/tally.ts";
import { startTraffic, type Traffic } from "../../traffic/traffic.ts";
import { narrateTraffic } from "../rotation/live.ts";
import type { Step } from "../rotation/step.ts";
import { SHORTEST_TOKEN_TTL, tokenExpiries } from "../rotation/tokens.ts";
import { runDemo } from "../run-demo.ts";
import { BY_HAND, CONTROL, STEPS } from "./steps.ts";

interface NetworkStep extends StepCounts {
  /** Looks at proxies that found an address of a pod in another network. */
  readonly rawAddresses: number;
  /** False where a person breaks something, and Meshjoin mends it. */
  readonly counts: boolean;
}

/** What `--json` prints: sums over the steps with `counts`; `control` is broken on purpose. */
interface NetworksResult {
  readonly ok: boolean;
  readonly members: number;
  readonly networks: number;
  readonly requests: number;
  readonly failed: number;
  readonly rawAddresses: number;
  readonly steps: readonly NetworkStep[];
  readonly control: Omit<NetworkStep, "counts">;
}

const NETWORKS = ["default", "network-2", "network-3"].map((name) => `meshjoin-sandbox.${name}`);

/** Certificates are renewed every half minute, so that each step sees both sides with new ones. */
const SETTINGS = {
  MESHJOIN_CONNECTED_NETWORKS: NETWORKS.join("+"),
  MESHJOIN_WORKLOAD_TTL: "60s",
  MESHJOIN_CLOCK_SKEW: "5s",
  MESHJOIN_INTERMEDIATE_TTL: "24h",
  MESHJOIN_TOKEN_TTL: SHORTEST_TOKEN_TTL,
};

function parseFlags(argv: readonly string[]): { readonly json: boolean } {
  return new Command()
    .name("npm run demo:networks --")
    .description(
      "Watch requests between two networks, both ways, each over a new mutual TLS connection, while the mesh changes under them",
    )
    .option("--json", "end with one line of JSON", false)
    .allowExcessArguments(false)
    .parse(argv)
    .opts<{ json: boolean }>();
}

async function demonstrate(fleet: SandboxFleet, say: (line: string) => void): Promise<NetworksResult> {
  const stop = new AbortController();
  const there = await startTraffic(fleet);
  const back = await startTraffic(fleet, { isBack: true });
  const ways = [there, back];
  say("\nRequests flow both ways: 40 a second each, every one over a mutual TLS connection of its own.");
  const narrating = narrateTraffic(there, say, stop.signal);
  try {
    const world = { fleet, traffic: there, tokens: await tokenExpiries(fleet), say };
    const carryOut = async (step: Step): Promise<Omit<NetworkStep, "counts">> => {
      say(`\n${step.name}`);
      const counts = await countStep(ways, step.name, () => step.run(world));
      say(`  done: ${renderCounts(counts)}, ${counts.rawAddresses} raw addresses${renderFailures(counts)}`);
      return counts;
    };
    const steps: NetworkStep[] = [];
    for (const step of STEPS) steps.push({ ...(await carryOut(step)), counts: true });
    steps.push({ ...(await carryOut(BY_HAND)), counts: false });
    const control = await carryOut(CONTROL);
    return resultOf(fleet, steps, control);
  } finally {
    stop.abort();
    await narrating;
  }
}

async function countStep(
  ways: readonly Traffic[],
  name: string,
  work: () => Promise<void>,
): Promise<Omit<NetworkStep, "counts">> {
  const rawBefore = rawOf(ways);
  const [first, ...others] = ways;
  if (first === undefined) throw new Error("no requests flow");
  const counts = [await first.step(name, work)];
  for (const way of others) counts.push(await way.step(name, () => Promise.resolve()));
  return {
    name,
    requests: sum(counts.map(({ requests }) => requests)),
    failed: sum(counts.map(({ failed }) => failed)),
    failures: counts.flatMap(({ failures }) => failures),
    rawAddresses: rawOf(ways) - rawBefore,
  };
}

function resultOf(
  fleet: SandboxFleet,
  steps: readonly NetworkStep[],
  control: NetworksResult["control"],
): NetworksResult {
  const counted = steps.filter(({ counts }) => counts);
  const failed = sum(counted.map((step) => step.failed));
  const rawAddresses = sum(counted.map((step) => step.rawAddresses));
  return {
    ok: failed === 0 && rawAddresses === 0 && control.rawAddresses > 0 && control.failed > 0,
    members: fleet.meshMembers().length,
    networks: new Set(fleet.meshMembers().map(({ network }) => network)).size,
    requests: sum(counted.map((step) => step.requests)),
    failed,
    rawAddresses,
    steps,
    control,
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const rawOf = (ways: readonly Traffic[]) => sum(ways.map((way) => way.rawAddresses()));

function conclude({ requests, failed, rawAddresses, control }: NetworksResult): string {
  const isSeen = control.failed > 0 && control.rawAddresses > 0;
  const seen = isSeen ? "so both are seen" : "so nothing is proved: they would not be seen";
  return (
    `${renderCounts({ requests, failed })}, ${rawAddresses} raw addresses; ` +
    `in the wrong order ${control.failed} failed with ${control.rawAddresses} raw addresses, ${seen}.`
  );
}

const { json } = parseFlags(process.argv);
await runDemo({
  prefix: "meshjoin-networks-",
  json,
  opening:
    "Starting two real Kubernetes control planes with istiod in two networks, and a gateway and sidecars in each.",
  fleet: { members: 2, networks: 2, traffic: true, env: { ...process.env, ...SETTINGS } },
  demonstrate,
  conclude,
});
