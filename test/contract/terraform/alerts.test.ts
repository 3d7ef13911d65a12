import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { ROOT } from "../../../scripts/paths.ts";
import { inCopy, variablesOf } from "../../../scripts/terraform/copy.ts";
import { blocks, textOf } from "../../../scripts/terraform/module.ts";
import { type Labels, queryFaults, seriesName } from "../../support/logging/promql.ts";
import { hasTerraform, type PlannedResource, withoutTerraform, withTrial } from "./trial.ts";

/** Of every monitored resource in PromQL, and those that the resources of these metrics have. */
const OF_RESOURCES = ["monitored_resource", "project_id", "service_name", "location"];

/** What PromQL can read of the log-based metrics that are made. */
function seriesOf(resources: readonly PlannedResource[]): Labels {
  const metrics = resources.filter(({ type }) => type === "google_logging_metric");
  return new Map(
    metrics.map(({ values }) => [
      seriesName(`logging.googleapis.com/user/${textOf(values["name"])}`),
      [
        ...OF_RESOURCES,
        ...blocks(values["metric_descriptor"]).flatMap((each) =>
          blocks(each["labels"]).map((label) => textOf(label["key"])),
        ),
      ],
    ]),
  );
}

describe("the alert policies, as they are planned", () => {
  if (!hasTerraform) {
    withoutTerraform();
    return;
  }

  let resources: readonly PlannedResource[];
  beforeAll(async () => {
    resources = await inCopy(
      join(ROOT, "terraform"),
      async (copy) => await withTrial(copy, async ({ planned }) => await planned(...variablesOf(copy, copy))),
    );
  });
  const conditions = () =>
    resources
      .filter(({ type }) => type === "google_monitoring_alert_policy")
      .map(({ values }) => blocks(values["conditions"]));
  const promql = () =>
    conditions().flatMap((each) => each.flatMap((one) => blocks(one["condition_prometheus_query_language"])));

  it("ask in PromQL for log-based metrics that are made, by labels that they have, and are taken before those are known", () => {
    const series = seriesOf(resources);
    expect(series.size).toBeGreaterThan(8);
    expect(promql().length).toBeGreaterThan(8);
    for (const { query, disable_metric_validation: unseen } of promql())
      expect({ faults: queryFaults(textOf(query), series), unseen }).toEqual({ faults: [], unseen: true });
    const asked = promql()
      .map(({ query }) => textOf(query))
      .join(" ");
    expect([...series.keys()].filter((name) => !asked.includes(name))).toEqual([]);
  });

  it("set thresholds only on metrics of Google's own, which are always known", () => {
    const filters = conditions().flatMap((each) =>
      each.flatMap((one) => blocks(one["condition_threshold"]).map(({ filter }) => textOf(filter))),
    );
    expect(filters.length).toBeGreaterThan(2);
    expect(
      filters.filter((filter) => !/metric[.]type="(?:run|pubsub)[.]googleapis[.]com\//.test(filter)),
    ).toEqual([]);
    expect(conditions().flatMap((each) => each.flatMap((one) => blocks(one["condition_absent"])))).toEqual(
      [],
    );
  });

  it("hold conditions of one kind each", () => {
    for (const each of conditions()) {
      const kinds = each.map((one) => blocks(one["condition_threshold"]).length);
      expect(new Set(kinds).size).toBe(1);
    }
  });

  it.each([
    [
      "a metric that is not made",
      "tick",
      "tock",
      "there is no series logging_googleapis_com:user_meshjoin_tock",
    ],
    [
      "a name with a hyphen",
      "full_run",
      "full-run",
      "there is no series logging_googleapis_com:user_meshjoin_full",
    ],
    [
      "a label that the metric does not have",
      "{monitored",
      '{reason="x",monitored',
      "logging_googleapis_com:user_meshjoin_tick has no label reason",
    ],
    ["no monitored resource", "monitored_resource=", "service_name=", "names no monitored_resource"],
    ["half a query", "s]) or", "s] or", "no PromQL at"],
  ])("are found to be at fault with %s", (_, from, to, fault) => {
    const absent = promql()
      .map(({ query }) => textOf(query))
      .filter((query) => query.includes("absent_over_time"));
    const planted = absent.filter((query) => query.includes(from)).map((query) => query.replaceAll(from, to));
    const found = planted.flatMap((query) => queryFaults(query, seriesOf(resources)));
    expect(found).toContainEqual(expect.stringContaining(fault));
  });
});
