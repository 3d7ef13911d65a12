import { Command, InvalidArgumentError } from "commander";
import { inWords } from "../shared/errors.ts";
import { announceJoins } from "./fleet/announce-joins.ts";
import { istioNetworksOf, type SandboxFleet, startFleet } from "./fleet/fleet.ts";
import { renderCounts } from "./traffic/tally.ts";
import { startTraffic } from "./traffic/traffic.ts";
import { renderUsage } from "./usage.ts";

interface Flags {
  readonly members: number;
  readonly dir: string;
  readonly join: boolean;
  readonly networks: number;
  readonly traffic: boolean;
  readonly autoscaler: boolean;
  readonly firewall: boolean;
}

const PARENT_CHECK_MS = 1000;

function parseMembers(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 20) return count;
  throw new InvalidArgumentError("give a whole number from 0 to 20");
}

function parseNetworks(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 20) return count;
  throw new InvalidArgumentError("give a whole number from 1 to 20");
}

function parseFlags(argv: readonly string[]): Flags {
  return new Command()
    .name("npm run sandbox --")
    .description(
      "A real fleet on this machine: Kubernetes API servers and istiods, Google's APIs stood in for, Meshjoin's functions",
    )
    .option("--members <n>", "clusters to begin with", parseMembers, 2)
    .option("--networks <n>", "VPC networks that they are spread over", parseNetworks, 1)
    .option("--dir <path>", "where everything is written", ".sandbox")
    .option("--no-join", "leave the clusters without the mesh label")
    .option("--traffic", "requests between the first two members, through an Envoy on each side", false)
    .option("--autoscaler", "two istiods in each member, as Istio's autoscaler has it on GKE", false)
    .option("--no-firewall", "leave out the rule by which pods of one cluster reach those of another")
    .allowExcessArguments(false)
    .parse(argv)
    .opts<Flags>();
}

/** Aborts on a signal, or when the process that started the sandbox is gone: no forgotten fleet runs on. */
function whenToStop(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid !== parent) stop.abort();
  }, PARENT_CHECK_MS);
  check.unref();
  return stop.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/** All networks of the sandbox reach each other, which Meshjoin knows by its configuration alone. */
function peered(networks: number): Readonly<Record<string, string>> {
  return { MESHJOIN_CONNECTED_NETWORKS: istioNetworksOf({ networks }).join("+") };
}

const { members, networks, dir, join, traffic, autoscaler, firewall } = parseFlags(process.argv);
const signal = whenToStop();
let fleet: SandboxFleet | undefined;
try {
  const progress = (line: string) => console.error(line);
  const env = networks > 1 ? { ...peered(networks), ...process.env } : process.env;
  fleet = await startFleet({
    members,
    networks,
    dir,
    join,
    traffic,
    autoscaler,
    firewall,
    env,
    signal,
    progress,
  });
  const flows = traffic && join && members > 1;
  if (traffic && !flows) progress("no requests are sent: they need two members that join");
  const flowing = flows ? await startTraffic(fleet, { waitForAnswer: firewall }) : undefined;
  console.log(renderUsage(dir, fleet.file(), { traffic: flowing?.target, firewall }));
  void announceJoins({ members: () => fleet?.meshMembers() ?? [], progress, signal });
  await aborted(signal);
  if (flowing !== undefined) console.error(renderCounts(flowing.counts()));
  console.error("stopping");
} catch (error) {
  console.error(inWords(error));
  process.exitCode = signal.aborted ? 130 : 1;
}
await fleet?.stop();
process.exit();
