import { describe, expect, it } from "@jest/globals";
import type { CheckResult } from "../../../cli/commands/check.ts";
import { renderChecked } from "../../../cli/render/checked.ts";
import { renderPlan } from "../../../cli/render/plan.ts";
import { describeProgress } from "../../../cli/render/progress.ts";
import { renderStatus } from "../../../cli/render/status.ts";
import { renderSummary } from "../../../cli/render/summary.ts";
import type { Screen } from "../../../cli/screen.ts";
import { renderPage } from "../../../functions/sync-mesh/page/page.ts";
import { finding } from "../../../shared/core/answers/finding.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { preview } from "../../../shared/preview.ts";
import { aView } from "../../support/builders/page-view.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { expectGolden } from "./golden.ts";
import {
  aDrainedStatus,
  aProbedStatus,
  aRotatingStatus,
  aStatus,
  aStatusOfNetworks,
  aTroubledStatus,
} from "./statuses.ts";

function aScreen(width: number, isWide = false): Screen {
  return { paint: (_, text) => text, width, isWide };
}

const WIDTHS = [80, 100, 160];

/** Tables fit. The verdict, messages and cures, which are indented, are left to the terminal to wrap. */
function tableLines(text: string): string[] {
  return text
    .split("\n")
    .slice(1)
    .filter((line) => !line.startsWith("  "));
}

describe("a status", () => {
  const states: readonly (readonly [string, Status])[] = [
    ["none", aStatus(0)],
    ["3", aStatus(3)],
    ["3-troubled", aTroubledStatus(3)],
    ["3-rotating", aRotatingStatus()],
    ["60-troubled", aTroubledStatus(60)],
    ["networks", aStatusOfNetworks()],
    ["probed", aProbedStatus()],
    ["drained", aDrainedStatus()],
  ];
  const cases = states.flatMap(([name, status]) => WIDTHS.map((width) => ({ name, status, width })));

  it.each(cases)("$name on $width columns", ({ name, status, width }) => {
    const text = renderStatus(status, aScreen(width));
    expectGolden(`status-${name}-${width}`, text);
    expect(Math.max(...tableLines(text).map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it("has every column, full IDs and the latest events when it is wide", () => {
    expectGolden(
      "status-3-rotating-wide",
      renderStatus(aRotatingStatus(), aScreen(Number.POSITIVE_INFINITY, true)),
    );
  });

  it.each([
    ["whole", aStatus(3), "WHOLE: 3 members, all 6 pairs synced", ""],
    ["empty", aStatus(0), "DEGRADED: no member yet", ""],
    [
      "broken",
      aTroubledStatus(3),
      "BROKEN: 1 member unreachable, 1 of 2 pairs not synced",
      "  CertificateNotLoaded  m01",
    ],
    [
      "requests fail",
      aProbedStatus(),
      "BROKEN: requests fail between 1 of 6 pairs, requests not known of 4 pairs, 1 error",
      "  RequestsFail  m01",
    ],
    [
      "requests pass",
      {
        ...aStatus(3),
        pairs: aStatus(3).pairs.map((pair) => ({ ...pair, probe: { state: "passed" as const } })),
      },
      "WHOLE: 3 members, all 6 pairs synced, requests pass",
      "",
    ],
  ])("begins with the verdict, and goes on with the worst finding: %s", (_, status, verdict, worst) => {
    const [first = "", second = ""] = renderStatus(status, aScreen(80)).split("\n");
    expect(first.slice(0, verdict.length)).toBe(verdict);
    expect(second).toBe(worst);
  });

  it("shows two members of one name by what tells them apart", () => {
    const { members, ...rest } = aStatus(2);
    const twins = members.map((member, index) => ({
      ...member,
      name: "shop",
      location: `europe-west${index + 1}`,
    }));
    expect(renderStatus({ ...rest, members: twins }, aScreen(80))).toContain("europe-west1/shop");
  });
});

describe("a check", () => {
  const { pairs, findings } = aProbedStatus();
  const [silent] = findings;
  const see =
    "kubectl --context gke_shop_europe-west1_m03 -n meshjoin-probe get pods -l app=meshjoin-probe -o wide";
  const result: CheckResult = {
    pairs: pairs.map(({ reader, target, route, probe }) => {
      const why =
        probe.state === "failed"
          ? { message: silent!.message, cure: silent!.cure }
          : { message: "the probe of cn-shop-europe-west1-m03 is not ready", cure: see };
      return { reader, target, route, probe: probe.state === "passed" ? probe : { ...probe, ...why } };
    }),
    left: [],
    keptUntil: null,
    findings: [],
  };
  const short = (id: string) => id.replace("cn-shop-europe-west1-", "");

  it.each(WIDTHS)("of 3 members on %s columns", (width) => {
    const text = renderChecked(result, aScreen(width), short);
    expectGolden(`check-${width}`, text);
    expect(
      Math.max(
        ...text
          .split("\n\n")[1]!
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(width);
  });

  it("names each cure as one, and makes the contexts in them", () => {
    const text = renderChecked(result, aScreen(100), short);
    expect(text).toContain(`  cure: ${see}\n`);
    expect(text).toContain(
      "gcloud container clusters get-credentials m03 --project=shop --location=europe-west1",
    );
  });
});

describe("a plan", () => {
  const planOf = async (members: number, joined: boolean) => {
    const mesh = await aMesh({ members });
    if (joined) await mesh.reconcile("mesh");
    return await preview(mesh.run(), { scope: "mesh", reason: "test" });
  };

  it.each([
    ["plan-join", 3, false],
    ["plan-nothing", 2, true],
  ])("%s", async (name, members, joined) => {
    const plan = await planOf(members, joined);
    for (const width of WIDTHS) {
      const text = renderPlan(plan, aScreen(width), String);
      expectGolden(`${name}-${width}`, text);
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  it("that changes nothing does not say that all is done where something is wrong", async () => {
    const mesh = await aMesh({ members: 2 });
    await mesh.reconcile("mesh");
    for (const cluster of mesh.clusters) mesh.directory.put({ ...cluster, labels: {} });
    await mesh.reconcile("mesh");
    const plan = await preview(mesh.run(), { scope: "mesh", reason: "plan" });
    expect(renderPlan(plan, aScreen(80), String)).toMatch(
      /^A sync would change nothing; .*\n\nErrors\n {2}M/,
    );
    const { html } = renderPage(aView({ plan }));
    expect(html).toContain("A sync would change nothing; what is wrong needs something else.");
    expect(html).not.toContain("Nothing is to be done");
  });

  it("of a big mesh takes some lines for each member, however many changes there are", async () => {
    const members = 60;
    const plan = await planOf(members, false);
    expect(plan.actions.length).toBeGreaterThan(members * members);
    expect(renderPlan(plan, aScreen(80), String).split("\n").length).toBeLessThan(8 * members);
  });
});

describe("a summary", () => {
  it("counts what came out well, and names what did not", () => {
    const ids = ["cn-a", "cn-b", "cn-c", "cn-d", "cn-e"];
    const unreachable = finding("ApiServerUnreachable", "cn-e did not answer", "check its health", "cn-e");
    const summary: Summary = {
      outcome: "failed",
      members: [
        { clusterId: "cn-a", outcome: "created", findings: [] },
        { clusterId: "cn-b", outcome: "unchanged", findings: [] },
        {
          clusterId: "cn-c",
          outcome: "failed",
          findings: [finding("ManagedMesh", "managed", "disable it", "cn-c")],
        },
        { clusterId: "cn-e", outcome: "waiting", findings: [unreachable] },
      ],
      pairs: ids.flatMap((reader) =>
        ids
          .filter((id) => id !== reader)
          .map(
            (target) => ({ reader, target, outcome: reader === "cn-a" ? "created" : "unchanged" }) as const,
          ),
      ),
      findings: [unreachable],
    };
    for (const width of WIDTHS) expectGolden("summary", renderSummary(summary, aScreen(width), String));
  });

  it("does not repeat as notes what is done, and keeps those of a member that is not finished", () => {
    const note = (id: string) => finding("CacertsOutdated", "cacerts is for other root versions", "none", id);
    const summary: Summary = {
      outcome: "waiting",
      members: [
        { clusterId: "cn-a", outcome: "updated", findings: [note("cn-a")] },
        { clusterId: "cn-b", outcome: "waiting", findings: [note("cn-b")] },
      ],
      pairs: [],
      findings: [],
    };
    const text = renderSummary(summary, aScreen(80), String);
    expect(text).toContain("CacertsOutdated  cn-b");
    expect(text).not.toContain("CacertsOutdated  cn-a");
  });
});

describe("a step", () => {
  const progress = { clusterId: "cn-a", target: "cn-b", outcome: "created" } as const;
  it.each([
    ["labelNamespace", "namespace created"],
    ["issueIntermediate", "intermediate CA created"],
    ["applyControlPlane", "istiod created"],
    ["istiodReady", "istiod is ready"],
    ["connect", "remote secret for cn-b created"],
    ["disconnect", "remote secret for cn-b created"],
    ["revoke", "reader Secret of cn-b created"],
    ["certificateLoaded", "istiod serves its intermediate CA"],
  ] as const)("%s is told as: %s", (step, words) => {
    expect(describeProgress({ ...progress, step }, false)).toBe(`cn-a  ${words}`);
  });

  it("that has not come about is told as such, and one of many is not told", () => {
    expect(describeProgress({ ...progress, step: "istiodReady", outcome: "waiting" }, false)).toContain(
      "not ready yet",
    );
    expect(describeProgress({ ...progress, step: "pairSynced" }, false)).toBeUndefined();
    expect(describeProgress({ ...progress, step: "pairSynced" }, true)).toBe("cn-a  reads cn-b: synced");
  });
});
