import { describe, expect, it } from "@jest/globals";
import type { Paint } from "../../../cli/paint.ts";
import { renderPlan } from "../../../cli/render/plan.ts";
import { describeProgress } from "../../../cli/render/progress.ts";
import { renderStatus } from "../../../cli/render/status.ts";
import { renderSummary } from "../../../cli/render/summary.ts";
import { finding } from "../../../shared/core/answers/finding.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { preview } from "../../../shared/preview.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { expectGolden } from "./golden.ts";
import { aStatus, aTroubledStatus } from "./statuses.ts";

const plain: Paint = (_, text) => text;
const WIDTH_MAX = 160;

describe("a status", () => {
  it.each([
    ["status-none", aStatus(0)],
    ["status-3", aStatus(3)],
    ["status-3-troubled", aTroubledStatus(3)],
    ["status-60", aStatus(60)],
    ["status-60-troubled", aTroubledStatus(60)],
  ])("%s", (name, status) => {
    const text = renderStatus(status, plain);
    expectGolden(name, text);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(WIDTH_MAX);
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
    expectGolden(name, renderPlan(await planOf(members, joined), plain));
  });

  it("of a big mesh takes some lines for each member, however many changes there are", async () => {
    const members = 60;
    const plan = await planOf(members, false);
    expect(plan.actions.length).toBeGreaterThan(members * members);
    expect(renderPlan(plan, plain).split("\n").length).toBeLessThan(8 * members);
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
    expectGolden("summary", renderSummary(summary, plain));
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
    expect(describeProgress({ ...progress, step })).toBe(`cn-a  ${words}`);
  });

  it("that has not come about is told as such, and one of many is not told", () => {
    expect(describeProgress({ ...progress, step: "istiodReady", outcome: "waiting" })).toContain(
      "not ready yet",
    );
    expect(describeProgress({ ...progress, step: "pairSynced" })).toBeUndefined();
  });
});
