import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { SandboxFleet } from "../../fleet/fleet.ts";
import { unsyncedPairs } from "../../fleet/istiod-sync.ts";
import { runDemo } from "../run-demo.ts";
import { createService, endpointsSeen } from "./endpoints.ts";
import { followLog, type LogLine } from "./function-log.ts";
import { joinCost, joinDone } from "./measure.ts";
import { narrate } from "./narrate.ts";

interface Flags {
  readonly members: number;
  readonly json: boolean;
}

const NEWCOMER = "newcomer";

function parseMembers(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 2 && count <= 20) return count;
  throw new InvalidArgumentError("give a whole number from 2 to 20");
}

function parseFlags(argv: readonly string[]): Flags {
  return new Command()
    .name("npm run demo --")
    .description("Watch a cluster being created and joining the mesh by itself, on real clusters")
    .option("--members <n>", "clusters in the end; the last one is created while you watch", parseMembers, 3)
    .option("--json", "end with one line of JSON", false)
    .allowExcessArguments(false)
    .parse(argv)
    .opts<Flags>();
}

/** What `--json` prints; docs say what each number means. */
interface DemoResult {
  readonly ok: boolean;
  readonly members: number;
  readonly pairs: number;
  readonly synced: number;
  readonly joinMs: number;
  readonly requests: number;
  readonly endpointsSeen: number;
}

async function demonstrate(fleet: SandboxFleet, say: (line: string) => void): Promise<DemoResult> {
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const short = (clusterId: string) =>
    fleet.file().members.find((member) => member.clusterId === clusterId)?.name ?? clusterId;
  const log = join(fleet.file().logDir, "on-cluster-event.log");
  const following = followLog(
    log,
    (line) => {
      lines.push(line);
      const told = narrate(line, short);
      if (told !== undefined) say(`  ${line.time.slice(11, 23)}  ${told}`);
    },
    stop.signal,
  );
  try {
    say(`\nCreating cluster ${NEWCOMER} through the GKE API, with the mesh's label and nothing else.`);
    const { clusterId } = await fleet.createCluster(NEWCOMER);
    const done = await joinDone(lines, clusterId);
    await fleet.waitUntilSynced();
    const { members } = fleet.file();
    const newcomer = members.find((member) => member.clusterId === clusterId);
    const witness = members.find((member) => member.clusterId !== clusterId);
    if (newcomer === undefined || witness === undefined) throw new Error("the newcomer is not in the fleet");
    const cost = await joinCost(fleet, newcomer, done);

    say(
      `\nProof: service hello.shop is made in ${newcomer.name}; istiod of ${witness.name} is asked for it.`,
    );
    await createService(newcomer);
    const seen = await endpointsSeen(witness, newcomer);
    const pairs = members.length * (members.length - 1);
    const synced = pairs - (await unsyncedPairs(members)).length;
    return {
      ok: seen > 0 && synced === pairs,
      members: members.length,
      pairs,
      synced,
      ...cost,
      endpointsSeen: seen,
    };
  } finally {
    stop.abort();
    await following;
  }
}

function conclude(result: DemoResult): string {
  const { members, pairs, synced, joinMs, requests } = result;
  return [
    result.endpointsSeen > 0
      ? `It knows ${result.endpointsSeen} endpoint of hello.shop in ${NEWCOMER}: the clusters are one mesh.`
      : `It knows no endpoint of hello.shop in ${NEWCOMER}: something is wrong.`,
    "",
    `${members} members, ${synced} of ${pairs} pairs synced.`,
    `The join took ${(joinMs / 1000).toFixed(1)} s from the audit-log entry to the last pair seen synced,`,
    `and ${requests} API requests (Google and Kubernetes together).`,
  ].join("\n");
}

const { members, json } = parseFlags(process.argv);
await runDemo({
  prefix: "meshjoin-demo-",
  json,
  opening: `Starting ${members - 1} real Kubernetes control planes and Meshjoin's function; each joins as it comes up.`,
  fleet: { members: members - 1 },
  demonstrate,
  conclude,
});
