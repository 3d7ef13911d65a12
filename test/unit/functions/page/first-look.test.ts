import { describe, expect, it } from "@jest/globals";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import type { PageView } from "../../../../functions/sync-mesh/page/view.ts";
import { finding } from "../../../../shared/core/answers/finding.ts";
import type { RotationStatus, RunsStatus } from "../../../../shared/core/answers/status.ts";
import { verdictOf } from "../../../../shared/core/answers/verdict.ts";
import { aView, everything, past } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";
import { sectionOf, textOf } from "./markup.ts";

const render = (seed: Partial<PageView> = {}): string => renderPage(aView(seed)).html;
const troubled = render({ status: aStatus({ troubled: true }) });
/** What comes before the first section of the mesh's parts. */
const headOf = (document: string): string => document.slice(0, document.indexOf('<section id="mesh"'));

describe("the verdict", () => {
  it.each([
    ["whole", aStatus(), "good", "Whole"],
    ["degraded without a member", aStatus({ members: 0 }), "warning", "Degraded"],
    ["broken", aStatus({ troubled: true }), "error", "Broken"],
  ])("of a mesh is %s on every surface, in the title, too", (_, status, tone, word) => {
    const document = render({ status });
    const { text } = verdictOf(status);
    expect(document).toContain(`<span class="badge ${tone}">${word}</span> <strong>${text}</strong>`);
    expect(document).toContain(`<title>${word}: ${text} · shop-prod · Meshjoin</title>`);
  });

  it("of an empty mesh is never green", () => {
    expect(render({ status: aStatus({ members: 0 }) })).not.toContain("badge good");
  });
});

describe("the first screen", () => {
  it("counts what is well of how many there are", () => {
    expect(textOf(headOf(troubled))).toContain("Members 2 of 3 reachable");
    expect(textOf(headOf(troubled))).toContain("Pairs 1 of 6 synced");
  });

  it("has one severity for an unreachable member: tile, row and finding", () => {
    expect(troubled).toMatch(/<div class="tile warning"><dt>Members/);
    expect(troubled).toContain('<span class="badge warning">unreachable</span>');
    expect(troubled).toMatch(/<h3 id="finding-ApiServerUnreachable"><span class="badge warning">/);
  });

  it("has one severity for every pair that does not work, whatever istiod calls it", () => {
    expect(troubled).toMatch(/<div class="tile error"><dt>Pairs/);
    expect(troubled).toMatch(/\.badge\.error,\.badge\.closed,\.badge\.timeout,\.badge\.missing/);
  });

  it("names every loud reason, and leads to it", () => {
    const head = headOf(troubled);
    for (const reason of ["ApiServerUnreachable", "IstioVersionDiffers", "TrustedLeaver"]) {
      expect(head).toContain(`href="#finding-${reason}"`);
    }
  });

  it("does not frighten with what renews itself", () => {
    const tile = /<dt>Next renewal<\/dt>[^]*?<\/div>/.exec(render())?.[0] ?? "";
    expect(textOf(tile)).toBe("Next renewal in 1 d 12 h all renew by themselves; nothing overdue");
    expect(textOf(sectionOf(render(), "expiry"))).toContain("Next renewal: in 1 d 12 h. Nothing is overdue.");
  });

  it("counts what has ended as overdue", () => {
    const status = aStatus();
    const pairs = status.pairs.map((pair, index) =>
      index === 0 ? { ...pair, tokenExpiry: "2026-03-01T11:59:00.000Z" } : pair,
    );
    const document = render({ status: { ...status, pairs } });
    expect(document).toMatch(/<div class="tile error"><dt>Renewals<\/dt><dd><a href="#expiry">1 overdue/);
    expect(textOf(sectionOf(document, "expiry"))).not.toContain("All renew by themselves");
  });
});

describe("a member's row", () => {
  it("counts what the mesh found about it", () => {
    const status = aStatus();
    const clusterId = status.members[0]?.clusterId ?? "";
    const found = finding("RemoteSecretMissing", "it holds no credential", "Meshjoin makes one", clusterId);
    const document = render({ status: { ...status, findings: [found] } });
    const row = document.slice(document.indexOf(`<tr role="row" id="member-${clusterId}"`));
    expect(textOf(row.slice(0, row.indexOf("</tr>")))).toContain("1 note");
  });

  it("comes before those of members that are well", () => {
    const document = render({ status: aStatus({ members: 60, troubled: true }) });
    const rows = [...document.matchAll(/<tr role="row" id="member-[^]*?<\/tr>/g)].map(([row]) => textOf(row));
    expect(rows).toHaveLength(60);
    expect(rows[0]).toContain("unreachable");
    const members = sectionOf(document, "members");
    const well = members.indexOf("48 members without trouble of their own");
    expect(well).toBeGreaterThan(members.indexOf("1 error"));
    expect(members.slice(well)).not.toMatch(/badge (?:error|warning)/);
  });

  it("says not known where nothing was seen", () => {
    const row = /<tr role="row" id="member-[^"]*search"[^]*?<\/tr>/.exec(troubled)?.[0] ?? "";
    expect(textOf(row)).toContain("reads: not known");
    expect(textOf(row)).not.toContain("reads 0");
  });
});

describe("what is not synced", () => {
  it("is told in sentences", () => {
    const document = render({ status: aStatus({ members: 4, troubled: true }) });
    const text = textOf(sectionOf(document, "mesh"));
    expect(text).toContain("No peer reads payments (closed 2, timeout 1)");
    expect(text).toContain("Whether payments reads its 3 peers is not known");
    expect(text).not.toContain("none of 3");
  });

  it("is never said to be none where nobody could look", () => {
    const status = aStatus({ members: 2 });
    const [reader] = status.members;
    const members = status.members.map((member) =>
      member === reader ? { ...member, reachable: false } : member,
    );
    const pairs = status.pairs.map((pair) =>
      pair.reader === reader?.clusterId
        ? { ...pair, pod: "", status: "unknown" as const, tokenExpiry: null }
        : pair,
    );
    const text = textOf(sectionOf(render({ status: { ...status, members, pairs } }), "mesh"));
    expect(text).toMatch(/reads \w+ not known not known not known/);
    expect(text).not.toContain("no pod");
  });
});

describe("the map, the list and the matrix", () => {
  const opened = (document: string): string =>
    sectionOf(document, "mesh").replace(/<details[^]*?<\/details>/g, "");

  it("are the map alone while all is well, without a legend", () => {
    const mesh = opened(render());
    expect(mesh).toContain("<svg");
    expect(mesh).not.toContain('class="legend"');
    expect(mesh).not.toContain("<table");
  });

  it("are the map of few members in trouble, with the states that occur", () => {
    const mesh = opened(render({ status: aStatus({ members: 4, troubled: true }) }));
    expect(mesh).toContain("<svg");
    expect(mesh).not.toContain("<table");
    const text = textOf(mesh);
    expect(text).toContain("closed 2 istiod no longer watches the target");
    expect(text).not.toContain("pending");
  });

  it("are the list of many members in trouble", () => {
    const mesh = opened(render({ status: aStatus({ members: 60, troubled: true }) }));
    expect(mesh).not.toContain("<svg");
    expect(textOf(mesh)).toContain("No peer reads edge-6 (closed 30, timeout 29)");
  });
});

describe("certificates and tokens", () => {
  it("say how many members are not counted, and whose a token is", () => {
    const text = textOf(sectionOf(troubled, "expiry"));
    expect(text).toContain("1 member not counted");
    expect(text).toMatch(/token with which \w+ reads \w+/);
  });

  it("name certificates by as many digits as the command line", () => {
    expect(sectionOf(render(), "members")).toMatch(/<code title="([0-9a-f]{12})[0-9a-f]+">\1<\/code>/);
  });
});

describe("a root rotation", () => {
  const rotation: RotationStatus = {
    stage: "switch",
    since: "2026-03-01T11:00:00.000Z",
    paused: null,
    loaded: 2,
    waitingFor: [],
    until: "2026-03-02T12:00:00.000Z",
  };
  const textWith = (seed: Partial<RotationStatus>): string =>
    textOf(sectionOf(render({ status: aStatus({ rotation: { ...rotation, ...seed } }) }), "rotation"));

  it("is three steps, with counts and times", () => {
    const text = textWith({});
    expect(text).toMatch(/✓ distribute done.* switch under way .* retire later/);
    expect(text).toContain("2 of 3 members have loaded");
    expect(text).toContain("Since 2026-03-01 11:00:00 UTC, 1 h ago.");
    expect(text).toContain("ends in 1 d, 2026-03-02 12:00:00 UTC");
    expect(text).not.toContain("blocked");
  });

  it("says that it is blocked, and what to mend", () => {
    const text = textWith({ waitingFor: ["cn-a cannot be reached"] });
    expect(text).toContain("blocked Waiting will not help; fix these: cn-a cannot be reached");
  });

  it("that a person paused is a warning, with the command that resumes it", () => {
    const paused = "2026-03-01T11:30:00.000Z";
    const document = render({ status: aStatus({ rotation: { ...rotation, paused, waitingFor: [] } }) });
    expect(document).toMatch(/<div class="tile warning"><dt>Root rotation<\/dt>/);
    expect(sectionOf(document, "rotation")).toContain('<code class="command">meshjoin root resume</code>');
    expect(textOf(sectionOf(document, "rotation"))).not.toContain("fix these");
  });
});

describe("a finding", () => {
  it("has its commands apart from its words, to be copied", () => {
    expect(headOf(troubled)).toContain(
      '<code class="command">kubectl -n istio-system rollout restart deployment istiod</code>',
    );
  });

  it("has the entry of the reference beside it, and the command that shows it", () => {
    const text = textOf(sectionOf(troubled, "findings"));
    expect(text).toContain("What ApiServerUnreachable means");
    expect(text).toContain("Meshjoin knows nothing of the member.");
    expect(troubled).toContain('<code class="command">meshjoin explain ApiServerUnreachable</code>');
    expect(text).toContain("meshjoin explain ApiServerUnreachable");
  });
});

describe("a plan", () => {
  it("of nothing is one line", () => {
    const section = sectionOf(render({ plan: { actions: [], findings: [] } }), "plan");
    expect(textOf(section)).toBe("Plan and sync Nothing is to be done.");
  });

  it("does not repeat what is open anyway", () => {
    const { status = aStatus(), plan = { actions: [], findings: [] } } = everything();
    const section = sectionOf(render({ status, plan }), "plan");
    expect(plan.findings.length).toBeGreaterThan(0);
    expect(section).not.toContain("plan-finding");
  });

  it("has one entry in the navigation", () => {
    const nav = /<nav[^]*?<\/nav>/.exec(render({ plan: { actions: [], findings: [] } }))?.[0] ?? "";
    expect(textOf(nav).match(/Plan/g)).toHaveLength(1);
  });
});

describe("Meshjoin itself", () => {
  const itself = (runs: Partial<RunsStatus> = {}): string =>
    textOf(sectionOf(render({ status: { ...aStatus(), runs: { ...aStatus().runs, ...runs } } }), "itself"));

  it("shows the last runs, their outcome and age, and its versions", () => {
    expect(itself()).toContain("Last full run 4 min ago unchanged 2026-03-01 11:56:00 UTC");
    expect(itself()).toContain("Last tick 2 min ago unchanged 2026-03-01 11:58:00 UTC");
    expect(itself()).toMatch(/Meshjoin 1\.2\.3, installs Istio \d/);
  });

  it("does not take silence for health", () => {
    expect(itself({ full: "unknown" })).toContain("Last full run not known: no run is on record");
    const document = render({ status: aStatus({ runs: { full: "unknown", tick: "unknown" } }) });
    expect(document).toMatch(/<dt>Last full run<\/dt><dd>not known<\/dd>/);
  });

  it("names the version that ran, where it was another", () => {
    const full = { at: "2026-03-01T11:56:00.000Z", outcome: "failed", version: "1.1.0" } as const;
    expect(itself({ full })).toContain("failed 2026-03-01 11:56:00 UTC, by Meshjoin 1.1.0");
  });

  it("leads with paused writes and the command that resumes them", () => {
    const document = render({ status: aStatus({ writesPaused: "2026-03-01T11:00:00.000Z" }) });
    const banner = sectionOf(headOf(document), "paused");
    expect(textOf(banner)).toContain("since 2026-03-01 11:00:00 UTC, 1 h ago");
    expect(banner).toContain('<code class="command">meshjoin resume</code>');
  });
});

describe("what was", () => {
  it("is told, the newest first as the status has it", () => {
    const text = textOf(sectionOf(render({ status: aStatus(past()) }), "lately"));
    expect(text).toMatch(
      /18 min ago a person paused .* checkout: its intermediate CA was renewed .* it left/,
    );
  });

  it("is not claimed where nothing is on record", () => {
    expect(textOf(sectionOf(render(), "lately"))).toContain("Nothing is on record.");
  });

  it("lists clusters that left and are still trusted, until when, and how to end that", () => {
    const left = sectionOf(render({ status: aStatus(past()) }), "left");
    expect(textOf(left)).toContain("cn-shop-prod-europe-west4-warehouse");
    expect(textOf(left)).toContain("2026-05-19 08:30:00 UTC");
    expect(left).toContain('<code class="command">meshjoin root rotate</code>');
    expect(sectionOf(render(), "left")).toBe("");
  });

  it("and is lost: an empty mesh with an error leads with it, and does not invite to begin", () => {
    const lost = finding(
      "MemberLost",
      "it has lost its label",
      "take it back: meshjoin join cn-gone",
      "cn-gone",
    );
    const document = render({ status: aStatus({ members: 0, findings: [lost] }) });
    expect(textOf(sectionOf(document, "mesh"))).toContain("No cluster is a member now.");
    expect(document).toContain('<span class="badge error">Broken</span>');
  });
});
