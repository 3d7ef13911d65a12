import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { renderPage } from "../../../../functions/sync-mesh/page/page.ts";
import type { PageView } from "../../../../functions/sync-mesh/page/view.ts";
import { finding } from "../../../../shared/core/answers/finding.ts";
import { aView, everything } from "../../../support/builders/page-view.ts";
import { aStatus } from "../../../support/builders/status.ts";
import { skeletonOf, tagsOf, unbalanced } from "./markup.ts";

const render = (seed: Partial<PageView> = {}): string => renderPage(aView(seed)).html;
const VIEWS: readonly [string, Partial<PageView>][] = [
  ["no member", { status: aStatus({ members: 0 }) }],
  ["one member", { status: aStatus({ members: 1 }) }],
  ["three members", {}],
  ["three members in trouble", { status: aStatus({ troubled: true }) }],
  ["eight members in two networks", { status: aStatus({ members: 8, networks: 2, troubled: true }) }],
  ["nine members", { status: aStatus({ members: 9, troubled: true }) }],
  ["sixty members", { status: aStatus({ members: 60, troubled: true }) }],
  ["sixty members in three networks", { status: aStatus({ members: 60, networks: 3, troubled: true }) }],
  ["everything at once", everything()],
];

describe.each(VIEWS)("a page of %s", (_, view) => {
  const page = renderPage(aView(view));
  const tags = tagsOf(page.html);

  it("is a document in order", () => {
    expect(unbalanced(page.html)).toEqual([]);
    expect(page.html).not.toMatch(/undefined|NaN|Infinity|\[object/);
  });

  it("gives every ID once, and refers only to those", () => {
    const ids = tags.flatMap(({ attributes }) => attributes.get("id") ?? []);
    expect(ids).toHaveLength(new Set(ids).size);
    const referred = tags.flatMap(({ attributes }) => [
      ...(attributes.get("aria-labelledby")?.split(" ") ?? []),
      ...(/^#(.+)/.exec(attributes.get("href") ?? "")?.slice(1) ?? []),
      ...(attributes.get("form") === undefined ? [] : [attributes.get("form") ?? ""]),
    ]);
    expect(referred.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it("has one style and one script, and they are those of the policy", () => {
    const hashOf = (name: string): string => {
      const texts = [...page.html.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, "g"))];
      expect(texts).toHaveLength(1);
      return `'sha256-${createHash("sha256")
        .update(texts[0]?.[1] ?? "")
        .digest("base64")}'`;
    };
    expect(page.contentSecurityPolicy.split("; ")).toEqual([
      "default-src 'none'",
      `style-src ${hashOf("style")}`,
      `script-src ${hashOf("script")}`,
      "img-src data:",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
  });

  it("takes nothing from elsewhere and runs nothing else", () => {
    expect(page.html).not.toMatch(/@import|url\((?!#)/);
    expect(tags.filter(({ name }) => ["script", "iframe", "object", "img", "base"].includes(name))).toEqual(
      [],
    );
    const names = tags.flatMap(({ attributes }) => [...attributes.keys()]);
    expect(names.filter((name) => /^(?:on.*|style|src|srcset)$/.test(name))).toEqual([]);
  });

  it("sends the token of the view, and no other, from every form", () => {
    const forms = tags.filter(({ name, kind }) => name === "form" && kind === "open");
    const tokens = tags.filter(({ attributes }) => attributes.get("name") === "csrf");
    expect(forms.length).toBeGreaterThan(0);
    expect(tokens.map(({ attributes }) => attributes.get("value"))).toEqual(forms.map(() => "a token"));
    for (const { attributes } of forms) {
      expect(attributes.get("action")).toBe("/actions");
      expect(attributes.get("method")).toBe("post");
    }
  });
});

describe("hostile text", () => {
  /** Everything that comes from outside, made of one text; `plain` has the same places and harmless text. */
  function viewOf(text: string): PageView {
    const view = aView(everything());
    const found = finding("RunFailed", text, text, text);
    const run = { at: text, outcome: "unchanged", version: text } as const;
    const past = {
      version: text,
      istio: text,
      runs: { full: run, tick: run },
      writesPaused: text,
      left: [{ clusterId: text, since: text, trustedUntil: text }],
      lately: [{ at: text, clusterId: text, what: text }],
    };
    const members = view.status.members.map((member, index) => ({
      ...member,
      name: `${index}${text}`,
      location: text,
      project: text,
      network: { name: `${index}${text}`, declared: true },
      gateway: { state: "present", address: text, up: index > 0, exposure: "internal" } as const,
      kubernetesVersion: text,
      istioVersion: text,
      root: [{ fingerprint: text, notAfter: text }],
      intermediate: {
        written: { fingerprint: text, notAfter: text },
        loaded: [{ pod: text, fingerprint: "other" }],
      },
      findings: [found],
    }));
    const pairs = view.status.pairs.map((pair) => ({ ...pair, pod: text, tokenExpiry: text, seenAt: text }));
    const object = { kind: text, namespace: text, name: text };
    return {
      ...view,
      status: { ...view.status, ...past, meshId: text, time: text, members, pairs, findings: [found] },
      plan: { actions: [{ verb: "create", clusterId: text, object, findings: [found] }], findings: [found] },
      csrfToken: text,
    };
  }

  const plain = skeletonOf(renderPage(viewOf("plain")).html);

  it.each([
    ["</style><script>alert(1)</script>"],
    [`"><script>alert(1)</script>`],
    ["' autofocus onfocus='alert(1)"],
    ["</title></svg></textarea><!--"],
    ["]]><![CDATA["],
    ["${1}"],
    ["\u202e\u2066\u0000\u001b\ud800"],
    ["\n\n"],
    ["x".repeat(10_000)],
  ])("changes nothing of the document: %j", (text) => {
    expect(skeletonOf(renderPage(viewOf(text)).html)).toEqual(plain);
  });

  it("changes nothing of the document, whatever it is", () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).map((value) => `x${value}`);
    fc.assert(
      fc.property(text, (value) => {
        expect(skeletonOf(renderPage(viewOf(value)).html)).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the picture", () => {
  const statesOf = (document: string): string[] =>
    tagsOf(document)
      .filter(({ attributes }) => attributes.has("marker-end"))
      .flatMap(({ attributes }) => attributes.get("class")?.split(" ")[1] ?? []);

  it("of few members has an arrow for each pair, with what is not synced on top", () => {
    const states = statesOf(render({ status: aStatus({ troubled: true }) }));
    expect(states).toHaveLength(6);
    expect(states[0]).toBe("synced");
    expect(states.slice(1).toSorted()).toEqual(["closed", "missing", "timeout", "unknown", "unknown"]);
  });

  it("of many members has no arrow for what is synced", () => {
    const states = statesOf(render({ status: aStatus({ members: 60, troubled: true }) }));
    expect(states.length).toBeGreaterThan(2);
    expect(states).not.toContain("synced");
  });

  it("of thousands of gaps stays small, and says how many it leaves out", () => {
    const status = aStatus({ members: 60 });
    const pairs = status.pairs.map((pair, index) =>
      index % 3 === 0 ? pair : { ...pair, status: "timeout" as const },
    );
    const document = render({ status: { ...status, pairs } });
    expect(statesOf(document)).toHaveLength(240);
    expect(document).toMatch(/\d+ more arrows are left out/);
  });

  it.each([0, 1, 2, 5, 8, 9, 13, 120])("of %d members shows each of them", (members) => {
    const document = render({ status: aStatus({ members, troubled: true }) });
    expect(document.match(/<g class="(?:node|spot) /g) ?? []).toHaveLength(members);
  });
});

describe("the matrix", () => {
  it("has a cell for every ordered pair, with the worst of the reader's pods", () => {
    const document = render({ status: aStatus({ troubled: true }) });
    expect(document).toContain(
      'title="catalog reads checkout: missing in 1 of 2 pods; no token"><b>missing</b>',
    );
    expect(document).toContain("<b>timeout</b>");
    expect(document.match(/<td class="self">/g)).toHaveLength(3);
  });

  it("says that members of two networks are no pair", () => {
    const document = render({ status: aStatus({ members: 4, networks: 2 }) });
    expect(document.match(/<b>no pair<\/b>/g)).toHaveLength(8);
  });

  it("marks the pairs whose requests pass a gateway", () => {
    const document = render({ status: aStatus({ members: 4, networks: 2, gateways: true }) });
    expect(
      document.match(/<td class="synced through"[^>]*; requests pass a gateway; token[^>]*>/g),
    ).toHaveLength(8);
    expect(document.match(/<b>synced<\/b><small>gateway<\/small>/g)).toHaveLength(8);
    expect(document.match(/<circle class="edge gate synced"/g)).toHaveLength(8);
    expect(document).toContain("The word gateway marks a pair whose requests pass a gateway.");
    expect(render({})).not.toMatch(/gateway<|class="edge gate/);
  });

  it("shows the ingress of each member, and nothing of ingresses where the configuration wants none", () => {
    const document = render({ status: aStatus({ ingress: true }) });
    expect(document.match(/<small>ingress 203\.0\.113\.\d+/g)).toHaveLength(3);
    expect(document.match(/no certificate for 443/g)).toHaveLength(1);
    expect(render({})).not.toContain("ingress");
  });

  it("says not known where Meshjoin could not ask, of the token, too", () => {
    const document = render({ status: aStatus({ troubled: true }) });
    expect(document).toContain(
      'title="search reads catalog: not known; token not known"><b>not known</b></td>',
    );
  });
});

describe("refreshing", () => {
  it.each([
    ["happens as often as the view says", {}, "30; url=/"],
    ["is stopped by 0", { refreshSeconds: 0 }, undefined],
    ["waits while a plan is read", { plan: { actions: [], findings: [] } }, undefined],
  ])("%s", (_, seed, expected) => {
    const page = renderPage(aView(seed));
    expect(page.refresh).toBe(expected);
    expect(page.html.includes("/?refresh=off")).toBe(expected !== undefined);
  });
});

describe("the form that confirms a mass leave", () => {
  const left = [
    finding("MassLeave", "2 of 3 members have lost their label", "confirm it"),
    finding("MemberLost", "the mesh has lost it", "take it back", "cn-gone"),
  ];

  it.each([
    ["is there while the status has such a finding", { status: aStatus({ findings: left }) }, true],
    ["is there while a plan has one", { plan: { actions: [], findings: left } }, true],
    ["is not there else", {}, false],
  ])("%s", (_, seed, expected) => {
    const document = render(seed);
    expect(document.includes('name="leaving" value="cn-gone"')).toBe(expected);
    expect(document.includes("<code>cn-gone</code>")).toBe(expected);
  });
});

it("a thousand findings of one reason are told as one, with those that are not shown counted", () => {
  const findings = Array.from({ length: 1000 }, (_, index) =>
    finding("PairNotSynced", `pair ${index} is not synced`, "wait", "cn-a"),
  );
  const document = render({ status: aStatus({ findings }) });
  expect(document.match(/Cure<\/strong> wait/g)).toHaveLength(2);
  expect(document).toContain("1000 times");
  expect(document).toContain("And 900 more");
});
