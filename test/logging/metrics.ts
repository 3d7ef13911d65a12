import { metricFilters } from "./filters.ts";
import { type Entry, matches } from "./query.ts";

/** Whose reads of root keys are no alarm. */
export const SIGNER = "meshjoin-signer@shop.iam.gserviceaccount.com";

const filters = await metricFilters({ mesh_id: "prod", signer: SIGNER });

/** As Cloud Logging stores what a function writes: `severity` becomes the entry's own, the rest its payload. */
export function entryOf(service: string, line: string): Entry {
  const { severity, ...jsonPayload } = JSON.parse(line);
  return {
    logName: "projects/shop/logs/run.googleapis.com%2Fstdout",
    resource: { type: "cloud_run_revision", labels: { service_name: service } },
    severity,
    jsonPayload,
  };
}

/** Terraform's log-based metrics that count any of the entries. */
export function counting(entries: readonly Entry[]): string[] {
  return [...filters].flatMap(([name, filter]) =>
    entries.some((entry) => matches(filter, entry)) ? [name] : [],
  );
}
