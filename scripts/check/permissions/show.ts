import { parseArgs } from "node:util";
import { grantedPermissions } from "../../../sandbox/google/permissions/granted.ts";
import { renderTable } from "../../../shared/table.ts";
import { filesNotRun, readAsked } from "./evidence.ts";
import { NOT_EXERCISED } from "./not-exercised.ts";
import { faultsOf, type PermissionReport, renderReport, reportOf } from "./report.ts";

/**
 * Which permission is there for which scenario, as the last run of the integration tests saw it: `npm run
 * permissions`, with `-- --json` every scenario of each.
 */
const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const asked = await readAsked();
if (asked.length === 0) {
  console.error("no scenario has run yet; run npm run test:integration");
  process.exitCode = 1;
} else {
  const report = reportOf(await grantedPermissions(), asked);
  const notRun = await filesNotRun();
  const faults = faultsOf(report, notRun);
  if (values.json) console.log(JSON.stringify({ ...report, notExercised: NOT_EXERCISED, notRun, faults }));
  else print(report, notRun, faults);
  if (faults.length > 0 || notRun.length > 0) process.exitCode = 1;
}

function print(report: PermissionReport, notRun: readonly string[], faults: readonly string[]): void {
  console.log(renderReport(report));
  console.log(`\nnot exercised here\n${renderTable(["role", "because"], Object.entries(NOT_EXERCISED))}`);
  const incomplete = `unused permissions show when these have run, too (npm run test:integration): ${notRun.join(", ")}`;
  const verdict = [...faults, ...(notRun.length > 0 ? [incomplete] : [])];
  console.log(`\n${verdict.length === 0 ? "nothing denied, nothing unused" : verdict.join("\n")}`);
}
