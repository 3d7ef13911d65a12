import { join } from "node:path";
import { ROOT } from "../../../scripts/paths.ts";
import { readModule, textOf } from "../../../scripts/terraform/module.ts";
import { isRecord } from "../../../shared/is-record.ts";

const MODULES = join(ROOT, "terraform", "modules");

/** The filter of the log sinks, from Terraform's own file. */
export async function sinkFilter(): Promise<string> {
  const { locals } = await readModule(join(MODULES, "triggers"));
  return textOf(locals.get("audit_filter")?.value);
}

/** The filters of the log-based metrics by name, with these values for the module's variables. */
export async function metricFilters(
  variables: Readonly<Record<string, string>>,
): Promise<Map<string, string>> {
  const { locals } = await readModule(join(MODULES, "observability"));
  const metrics = locals.get("metrics")?.value;
  return new Map(
    Object.entries(isRecord(metrics) ? metrics : {}).map(([name, metric]) => [
      name,
      textOf(isRecord(metric) ? metric["filter"] : undefined).replaceAll(
        /\$\{var\.(\w+)\}/g,
        (_, variable: string) => variables[variable] ?? "",
      ),
    ]),
  );
}
