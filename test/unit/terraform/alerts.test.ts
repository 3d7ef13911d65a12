import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { readModule, textOf } from "../../../scripts/terraform/module.ts";
import { isRecord } from "../../../shared/is-record.ts";

const { locals } = await readModule(join(ROOT, "terraform", "modules", "observability"));

/** Between two runs of a job, in seconds: `terraform/modules/triggers/scheduler.tf`. */
const PERIOD = 600;

const conditions = Object.values(locals.get("alerts")?.value ?? {}).flatMap((alert) => {
  const listed: unknown = isRecord(alert) ? alert["conditions"] : undefined;
  return Array.isArray(listed) ? listed.filter(isRecord) : [];
});
const named = (name: RegExp) => conditions.filter((condition) => name.test(textOf(condition["name"])));

describe("the alerts", () => {
  it("take one run that fails for nothing, where they are about run after run", () => {
    const lasting = named(/run after run/);
    expect(lasting).toHaveLength(3);
    for (const condition of lasting) {
      // One run is seen for as long as the window; two, for the time between them besides.
      expect(Number(condition["lasting"])).toBeGreaterThan(Number(condition["window"]));
      expect(Number(condition["lasting"])).toBeLessThan(Number(condition["window"]) + PERIOD);
    }
  });

  it("miss full runs and ticks, not before three have not come, and not for one that is late", () => {
    const absent = conditions.filter((condition) => condition["absent"] === true);
    expect(absent.map((condition) => textOf(condition["metric"])).toSorted()).toEqual(["full-run", "tick"]);
    for (const condition of absent) {
      expect(Number(condition["window"]) + Number(condition["lasting"])).toBeGreaterThanOrEqual(3 * PERIOD);
      // So a deployment that was just made has the time for its first run.
      expect(Number(condition["lasting"])).toBeGreaterThan(PERIOD);
    }
  });
});
