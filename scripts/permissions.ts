import { grantedPermissions } from "../sandbox/google/permissions/granted.ts";
import { renderTable } from "../shared/table.ts";
import { NOT_EXERCISED } from "./permissions/elsewhere.ts";
import { readAsked } from "./permissions/evidence.ts";
import { faultsOf, renderReport, reportOf } from "./permissions/report.ts";

/** Which permission is there for which scenario, as the last run of the integration tests saw it: `npm run permissions`. */
const asked = await readAsked();
if (asked.length === 0) {
  console.error("no scenario has run yet; run npm run test:integration");
  process.exitCode = 1;
} else {
  const report = reportOf(await grantedPermissions(), asked);
  console.log(renderReport(report));
  console.log(`\nnot exercised here\n${renderTable(["role", "because"], Object.entries(NOT_EXERCISED))}`);
  const faults = faultsOf(report);
  console.log(`\n${faults.length === 0 ? "nothing denied, nothing to spare" : faults.join("\n")}`);
  if (faults.length > 0) process.exitCode = 1;
}
