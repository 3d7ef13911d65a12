import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { type Counts, renderCounts, renderFailures } from "../../traffic/tally.ts";
import { runDemo } from "../run-demo.ts";
import { openIngress } from "./ingress.ts";
import { spreadWithTwins, startLoad, twinOf } from "./load.ts";
import {
  type FailoverStep,
  type FailoverWorld,
  READMISSION_MS,
  STEPS,
  untilWell,
  WORKLOAD_TTL_MS,
} from "./steps.ts";

interface FailoverResult {
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
}

interface StepResult extends Counts {
  readonly name: string;
  readonly allowed: number;
  /** How many requests failed when an ejected host was let in again and was still broken. */
  readonly readmission: number;
  /** At the same time, to the same servers, without the mesh's rule; null where that says nothing. */
  readonly control: Counts | null;
}

const NETWORKS = ["default", "network-2"].map((name) => `meshjoin-sandbox.${name}`);

const SETTINGS = {
  MESHJOIN_WORKLOAD_TTL: `${WORKLOAD_TTL_MS / 1000}s`,
  MESHJOIN_CLOCK_SKEW: "5s",
  MESHJOIN_INTERMEDIATE_TTL: "24h",
  MESHJOIN_CONNECTED_NETWORKS: NETWORKS.join("+"),
  MESHJOIN_FAILOVER: "on",
  MESHJOIN_INGRESS: "on",
};

function parseFlags(argv: readonly string[]): { readonly json: boolean } {
  return new Command()
    .name("npm run demo:failover --")
    .description("Watch what fails, and what does not, while parts of a mesh over three clusters die")
    .option("--json", "end with one line of JSON", false)
    .allowExcessArguments(false)
    .parse(argv)
    .opts<{ json: boolean }>();
}

async function demonstrate(fleet: SandboxFleet, say: (line: string) => void): Promise<FailoverResult> {
  const spread = await spreadWithTwins(fleet);
  const askThroughIngress = await openIngress(fleet, ["everywhere", twinOf("everywhere")]);
  say("\n40 requests a second go to services with the mesh's rule, and 40 to their twins without it.");
  const world = { fleet, spread, askThroughIngress, say };
  const steps: StepResult[] = [];
  for (const step of STEPS) {
    say(`\n${step.name}`);
    steps.push(await carryOut(step, world));
  }
  return { ok: steps.every(({ failed, allowed }) => failed <= allowed), steps };
}

async function carryOut(step: FailoverStep, world: FailoverWorld): Promise<StepResult> {
  const { name, service, allowed } = step;
  await untilWell(world, service);
  const load = startLoad(world, service, step);
  try {
    await step.prepare?.(world);
    const before = step.prepare && load.endStep(name).own;
    await step.break(world);
    const { mesh, own } = load.endStep(name);
    if (step.isReadmitted) await sleep(READMISSION_MS);
    const { mesh: later } = load.endStep(name);
    const control = step.hasNoControl ? null : countsOf(before ?? own);
    world.say(`  with the mesh's rule: ${renderCounts(mesh)} of ${allowed} allowed${renderFailures(mesh)}`);
    if (control !== null) world.say(`  without it:           ${renderCounts(control)}`);
    if (step.isReadmitted) world.say(`  then, as an ejected host is let in again: ${renderCounts(later)}`);
    return { name, ...countsOf(mesh), allowed, readmission: later.failed, control };
  } finally {
    await load.stop();
    await step.mend(world);
  }
}

const countsOf = ({ requests, failed }: Counts): Counts => ({ requests, failed });

function conclude({ steps }: FailoverResult): string {
  const over = steps.filter(({ failed, allowed }) => failed > allowed);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const failed = sum(steps.map((step) => step.failed));
  const without = sum(steps.map(({ control }) => control?.failed ?? 0));
  const verdict =
    over.length === 0
      ? "no step lost more than it may"
      : `too many failed: ${over.map(({ name }) => name).join("; ")}`;
  return `${verdict}; ${failed} failed with the mesh's rule, and ${without} without it.`;
}

const { json } = parseFlags(process.argv);
await runDemo({
  prefix: "meshjoin-failover-",
  json,
  opening:
    "Starting three real Kubernetes control planes with istiod in two networks, with gateways and sidecars.",
  fleet: { members: 3, networks: 2, traffic: true, env: { ...process.env, ...SETTINGS } },
  demonstrate,
  conclude,
});
