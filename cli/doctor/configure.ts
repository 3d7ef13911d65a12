import { type Check, fault } from "../../shared/core/answers/check.ts";
import { ConfigError } from "../../shared/errors.ts";
import type { Operator } from "../../shared/operator.ts";
import type { Host } from "../host.ts";

export const CONFIGURATION = { name: "configuration", account: "caller" } as const;

type Configured = { readonly operator: Operator } | { readonly faults: readonly Check[] };

/** Every fault of a configuration is a line with its cure. */
export function configure(host: Host): Configured {
  try {
    return { operator: host.operator() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first = "", ...lines] = error.message.split("\n");
    const faults = lines.length === 0 ? [first] : lines;
    return { faults: faults.map((line) => fault(CONFIGURATION, line.trim())) };
  }
}
