import { readFile } from "node:fs/promises";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import { entryOf, textEntryOf } from "../../support/logging/metrics.ts";
import type { Entry } from "../../support/logging/query.ts";

/** Everything that the functions have logged so far, as Cloud Logging would store it. */
export async function loggedEntries(fleet: SandboxFleet): Promise<readonly Entry[]> {
  const { functions, logDir } = fleet.file();
  const logs = Object.keys(functions).map(async (name) => {
    const lines = (await readFile(`${logDir}/${name}.log`, "utf8")).split("\n");
    return lines.flatMap((line) => (line === "" ? [] : [toEntry(name, line)]));
  });
  return (await Promise.all(logs)).flat();
}

function toEntry(name: string, line: string): Entry {
  return line.startsWith("{") ? entryOf(name, line) : textEntryOf(name, line, new Date());
}
