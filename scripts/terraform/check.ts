import { join } from "node:path";
import { renderTable } from "../../shared/table.ts";
import { ROOT } from "../paths.ts";
import { judgedByCheckov } from "./checkov.ts";
import { faultsBelow } from "./faults.ts";
import { readSchema, type Schema, versionsIn } from "./schema.ts";
import { formatted, type Step } from "./tool.ts";
import { withProvider, withStandInProvider } from "./trials.ts";

const DIRECTORY = join(ROOT, "terraform");
const oldest = readSchema("oldest");
const newest = readSchema("newest");

async function againstSchema(schema: Schema): Promise<Step> {
  const found = await faultsBelow(DIRECTORY, schema);
  return {
    name: `names, as ${versionsIn(schema)} have them`,
    faults: found.map(({ where, message }) => `${where}: ${message}`),
  };
}

const named = [await againstSchema(oldest), await againstSchema(newest)];
const isNamed = named.every((step) => "faults" in step && step.faults.length === 0);
const steps = [
  await formatted(DIRECTORY),
  ...named,
  // Terraform would only say a wrong name again, in other words.
  ...(isNamed ? await withStandInProvider(DIRECTORY, newest) : []),
  ...(await withProvider(DIRECTORY)),
  await judgedByCheckov(DIRECTORY),
];
for (const step of steps) {
  if ("faults" in step) for (const fault of step.faults) console.error(`${step.name}: ${fault}`);
}
const rows = steps.map((step) => [
  step.name,
  "notRun" in step ? `not run here, because ${step.notRun}` : step.faults.length === 0 ? "ok" : "FAILED",
]);
console.log(renderTable(["check of terraform/", ""], rows));
process.exitCode = steps.some((step) => "faults" in step && step.faults.length > 0) ? 1 : 0;
