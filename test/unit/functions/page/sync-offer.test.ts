import { describe, expect, it } from "@jest/globals";
import { type SyncOffer, syncOfferOf } from "../../../../functions/sync-mesh/page/facts/sync-offer.ts";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import { sceneOf } from "../../../../functions/sync-mesh/page/scene.ts";
import type { PageView } from "../../../../functions/sync-mesh/page/view.ts";
import { aView, everything } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";
import { sectionOf, textOf } from "./markup.ts";

const { plan = { actions: [], findings: [] } } = everything();
const NOTHING = { actions: [], findings: [] };

/** Three members; the last is unreachable, and nothing is wrong with the others. */
function unreachable() {
  const status = aStatus({ troubled: true });
  const away = status.members.find(({ reachable }) => !reachable);
  return {
    ...status,
    members: status.members.map((member) => (member === away ? member : { ...member, findings: [] })),
    pairs: status.pairs.map((pair) =>
      [pair.reader, pair.target].includes(away?.clusterId ?? "")
        ? pair
        : { ...pair, status: "synced" as const },
    ),
    findings: [],
  };
}

const CASES: readonly [string, Partial<PageView>, SyncOffer, string][] = [
  ["of a mesh that is well", {}, "ask", "Sync the mesh…"],
  ["of a mesh in trouble", { status: aStatus({ troubled: true }) }, "ask", "Sync the mesh…"],
  ["after a plan with actions", { plan }, "planned", "Sync: make these 3 changes"],
  ["after a plan of nothing", { plan: NOTHING }, "nothing", ""],
  ["without a member", { status: aStatus({ members: 0 }) }, "no member", ""],
  ["where all trouble is out of reach", { status: unreachable() }, "unreachable", ""],
  [
    "while the functions are paused",
    { status: aStatus({ writesPaused: "2026-03-01T11:00:00Z" }), plan },
    "paused",
    "",
  ],
];

describe("the sync that the page offers", () => {
  it.each(CASES)("%s", (_, seed, offer, words) => {
    expect(syncOfferOf(sceneOf(aView(seed)))).toBe(offer);
    const section = sectionOf(renderPage(aView(seed)).html, "plan");
    expect(section.includes('value="sync"')).toBe(words !== "");
    expect(textOf(section)).toContain(words);
  });

  it("asks before it does anything, and is the strong button only after a plan", () => {
    const asked = sectionOf(renderPage(aView()).html, "plan");
    expect(asked.indexOf("<details")).toBeGreaterThan(-1);
    expect(asked.indexOf('value="sync"')).toBeGreaterThan(asked.indexOf("<details"));
    expect(asked).not.toContain('class="strong"');
    expect(sectionOf(renderPage(aView({ plan })).html, "plan")).toContain('<button class="strong">');
  });

  it("does no more than the plan that is shown", () => {
    const clusterId = aStatus().members[0]?.clusterId ?? "";
    const section = sectionOf(renderPage(aView({ plan, planScope: clusterId })).html, "plan");
    expect(section).toContain(`name="scope" value="${clusterId}"`);
    expect(section).not.toContain('name="scope" value="mesh"');
  });

  it("says why there is none", () => {
    const out = textOf(sectionOf(renderPage(aView({ status: unreachable() })).html, "plan"));
    expect(out).toContain("A sync cannot help: Meshjoin does not reach search.");
    const status = aStatus({ writesPaused: "2026-03-01T11:00:00Z" });
    expect(textOf(sectionOf(renderPage(aView({ status })).html, "plan"))).toContain("meshjoin resume");
  });
});
