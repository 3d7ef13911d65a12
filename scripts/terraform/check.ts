import { join } from "node:path";
import { renderTable } from "../../shared/table.ts";
import { ROOT } from "../paths.ts";
import { faultsBelow } from "./faults.ts";
import { readSchema } from "./schema.ts";
import { formatted, type Step, withProvider } from "./tool.ts";

const DIRECTORY = join(ROOT, "terraform");

async function againstSchema(): Promise<Step> {
  const schema = readSchema();
  const found = await faultsBelow(DIRECTORY, schema);
  return {
    name: `names, as provider google ${schema.version} has them`,
    faults: found.map(({ where, message }) => `${where}: ${message}`),
  };
}

const steps = [await formatted(DIRECTORY), await againstSchema(), ...(await withProvider(DIRECTORY))];
for (const step of steps) {
  if ("faults" in step) for (const fault of step.faults) console.error(`${step.name}: ${fault}`);
}
const rows = steps.map((step) => [
  step.name,
  "notRun" in step ? `not run here, because ${step.notRun}` : step.faults.length === 0 ? "ok" : "FAILED",
]);
console.log(renderTable(["check of terraform/", ""], rows));
process.exitCode = steps.some((step) => "faults" in step && step.faults.length > 0) ? 1 : 0;
