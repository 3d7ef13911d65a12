import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SandboxFleet, startFleet } from "../../../sandbox/fleet/fleet.ts";
import { renderTable } from "../../../shared/table.ts";
import { SAMPLES, TRIALS } from "./trials.ts";

/**
 * Takes sampled permissions away, one at a time, and shows that something then fails; and that nothing does
 * where none is missing: `npm run permissions:withhold`.
 */
async function withholdEach(fleet: SandboxFleet): Promise<string[][]> {
  const rows: string[][] = [];
  let number = 0;
  for (const { role, permission, trial } of SAMPLES) {
    number += 1;
    const scenario = `trial-${number}`;
    fleet.iam.enter(scenario);
    const giveBack = fleet.iam.withhold(role, permission);
    const went = await trial.attempt(fleet, number);
    giveBack();
    const wasDenied = fleet.iam.asked.some(
      (each) => !each.allowed && each.scenario === scenario && each.permission === permission,
    );
    rows.push([`${role} without ${permission}`, trial.name, verdict(went, wasDenied)]);
    console.error(rows.at(-1)?.join(": "));
    await remove(fleet, scenario);
  }
  for (const trial of TRIALS) {
    number += 1;
    rows.push(["nothing missing", trial.name, (await trial.attempt(fleet, number)) ? "goes well" : "failed"]);
  }
  return rows;
}

function verdict(went: boolean, wasDenied: boolean): string {
  if (!wasDenied) return "no call asked for it";
  return went ? "went well all the same" : "fails";
}

async function remove(fleet: SandboxFleet, name: string): Promise<void> {
  if (fleet.file().members.some((member) => member.name === name)) await fleet.deleteCluster(name);
}

const dir = await mkdtemp(join(tmpdir(), "meshjoin-permissions-"));
let fleet: SandboxFleet | undefined;
try {
  fleet = await startFleet({ members: 1, dir, join: true, progress: (line) => console.error(line) });
  // Events come a day late, so that a cluster joins because of the call under test alone.
  fleet.faults.add({ target: "gke", kind: "delayEvents", delayMs: 24 * 3600 * 1000 });
  const rows = await withholdEach(fleet);
  console.log(renderTable(["", "", ""], rows));
  if (rows.some((row) => !["fails", "goes well"].includes(row[2] ?? ""))) process.exitCode = 1;
} finally {
  await fleet?.stop();
  await rm(dir, { recursive: true, force: true });
}
