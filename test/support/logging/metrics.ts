import { metricFilters } from "./filters.ts";
import { type Entry, matches } from "./query.ts";

/** Whose reads of root keys are no alarm. */
export const SIGNER = "meshjoin-signer@shop.iam.gserviceaccount.com";

const filters = await metricFilters({ mesh_id: "prod", signer: SIGNER });

/**
 * As Cloud Logging stores what a function writes: `severity` and `time` become the entry's own, the rest its
 * payload.
 * https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
 */
export function entryOf(service: string, line: string): Entry {
  const { severity, time, ...jsonPayload } = JSON.parse(line);
  return { ...ofService(service, "stdout"), severity, timestamp: time, jsonPayload };
}

/** A line that is no JSON has no severity, on either stream, and the time at which it arrives. */
export function textEntryOf(service: string, line: string, arrived: Date): Entry {
  return { ...ofService(service, "stderr"), timestamp: arrived.toISOString(), textPayload: line };
}

function ofService(service: string, stream: "stdout" | "stderr"): Entry {
  return {
    logName: `projects/shop/logs/run.googleapis.com%2F${stream}`,
    resource: { type: "cloud_run_revision", labels: { service_name: service } },
  };
}

/** Terraform's log-based metrics that count any of the entries. */
export function counting(entries: readonly Entry[]): string[] {
  return [...filters].flatMap(([name, filter]) =>
    entries.some((entry) => matches(filter, entry)) ? [name] : [],
  );
}
