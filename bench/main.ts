import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { ensureBinaries } from "../sandbox/binaries/build.ts";
import { followLog, type LogLine } from "../sandbox/demo/function-log.ts";
import { joinCost, joinDone } from "../sandbox/demo/measure.ts";
import { type SandboxFleet, startFleet } from "../sandbox/fleet.ts";
import { parsePin } from "../scripts/render-settings.ts";
import { renderTable } from "../scripts/table.ts";
import { parseTemplate } from "../shared/istio/template.ts";
import { exchangeByHand } from "./usual-way.ts";

/** One join, of the N-th member. Times in milliseconds, all of one run on one machine. */
interface Join {
  readonly n: number;
  readonly requests: number;
  /** 12 for each peer, Istio's objects, and 20. */
  readonly target: number;
  /** From the delivery of the last audit entry until the last remote secret was written. */
  readonly writtenMs: number;
  /** The same, until every pair was seen synced. */
  readonly verifiedMs: number;
  /** From istiod's readiness to the last remote secret. */
  readonly exchangeMs: number;
  /** The same exchange by istioctl and kubectl. */
  readonly byHandMs: number;
}

const PER_PEER = 12;
const CONSTANT = 20;

function parseSizes(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= 2 && size <= 20)) {
    return sizes.toSorted((a, b) => a - b);
  }
  throw new Error("--sizes takes whole numbers from 2 to 20, separated by commas");
}

async function objectCount(): Promise<number> {
  const manifest = new URL("../dist/istio/manifest.json", import.meta.url);
  return parseTemplate(await readFile(manifest, "utf8")).objects.length;
}

async function measure(
  fleet: SandboxFleet,
  lines: readonly LogLine[],
  istioctlRelease: string,
  n: number,
): Promise<Join> {
  const { clusterId } = await fleet.createCluster(`member-${n}`);
  const done = await joinDone(lines, clusterId);
  await fleet.waitUntilSynced();
  const { members } = fleet.file();
  const newcomer = members.find((member) => member.clusterId === clusterId);
  if (newcomer === undefined) throw new Error(`${clusterId} is not in the fleet`);
  const { joinMs, requests } = await joinCost(fleet, newcomer, done);

  const stepsOf = (step: string) =>
    lines.filter((line) => line.step === step && [line.clusterId, line.target].includes(clusterId));
  const at = (found: readonly LogLine[]) => Math.max(...found.map(({ time }) => Date.parse(time)));
  const written = at(stepsOf("connect"));
  const binaries = await ensureBinaries(() => undefined, istioctlRelease);
  const peers = members.filter((member) => member !== newcomer);
  const byHandMs = await exchangeByHand(binaries, newcomer, peers);
  return {
    n,
    requests,
    target: PER_PEER * (n - 1) + (await objectCount()) + CONSTANT,
    writtenMs: joinMs - (Date.parse(done.time) - written),
    verifiedMs: joinMs,
    exchangeMs: written - at(stepsOf("istiodReady")),
    byHandMs: Math.round(byHandMs),
  };
}

function table(joins: readonly Join[]): string {
  const head = ["N", "requests", "target", "written", "verified", "pair exchange", "by hand", "ratio"];
  const rows = joins.map((row) => [
    String(row.n),
    String(row.requests),
    `≤ ${row.target}`,
    `${row.writtenMs} ms`,
    `${row.verifiedMs} ms`,
    `${row.exchangeMs} ms`,
    `${row.byHandMs} ms`,
    `${(row.byHandMs / row.exchangeMs).toFixed(0)} ×`,
  ]);
  return renderTable(head, rows);
}

const { sizes, json } = new Command()
  .name("npm run bench --")
  .description("Measures joins on real API servers, beside the same pair exchange by istioctl and kubectl")
  .option("--sizes <list>", "members after the join", "3,5,8")
  .option("--json", "one line of JSON instead of the table", false)
  .allowExcessArguments(false)
  .parse(process.argv)
  .opts<{ sizes: string; json: boolean }>();
const wanted = parseSizes(sizes);
const pin = parsePin(await readFile(new URL("../shared/istio/pin.json", import.meta.url), "utf8"));
const joins: Join[] = [];
for (const n of wanted) {
  const dir = await mkdtemp(join(tmpdir(), "meshjoin-bench-"));
  const stop = new AbortController();
  console.error(`starting ${n - 1} members`);
  const fleet = await startFleet({ members: n - 1, dir, join: true, progress: () => undefined });
  try {
    const lines: LogLine[] = [];
    const log = join(fleet.file().logDir, "on-cluster-event.log");
    const following = followLog(log, (line) => lines.push(line), stop.signal);
    joins.push(await measure(fleet, lines, pin.release, n));
    stop.abort();
    await following;
  } finally {
    stop.abort();
    await fleet.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
console.log(json ? JSON.stringify(joins) : table(joins));
