import { join } from "node:path";
import { renderTable } from "../../shared/table.ts";
import { NOT_RUN } from "../check/not-run.ts";
import { ROOT } from "../paths.ts";
import { judgedByCheckov } from "./checkov.ts";
import { houseFaults } from "./house-rules.ts";
import { formatted, type Step } from "./tool.ts";
import { withProvider, withStandInProvider } from "./trials.ts";

const DIRECTORY = join(ROOT, "terraform");

async function byHouseRules(): Promise<Step> {
  const found = await houseFaults(DIRECTORY);
  return {
    name: "descriptions, validations, providers, nothing unused",
    faults: found.map(({ where, message }) => `${where}: ${message}`),
  };
}

const steps = [
  await formatted(DIRECTORY),
  await byHouseRules(),
  ...(await withStandInProvider(DIRECTORY)),
  ...(await withProvider(DIRECTORY)),
  await judgedByCheckov(DIRECTORY),
];
for (const step of steps) {
  if ("faults" in step) for (const fault of step.faults) console.error(`${step.name}: ${fault}`);
}
const rows = steps.map((step) => [
  step.name,
  "notRun" in step ? `${NOT_RUN} ${step.notRun}` : step.faults.length === 0 ? "ok" : "FAILED",
]);
console.log(renderTable(["check of terraform/", ""], rows));
process.exitCode = steps.some((step) => "faults" in step && step.faults.length > 0) ? 1 : 0;
