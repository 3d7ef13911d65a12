import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Explanation } from "../../../cli/render/explanation.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { CODES } from "../../../shared/core/answers/error-codes.ts";
import { REASONS } from "../../../shared/core/answers/reasons.ts";
import { anchorOfHeading } from "../../../shared/core/answers/runbook.ts";
import { aMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

const headings = (page: string) =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
    anchorOfHeading(text),
  );

describe("explain", () => {
  it("knows every reason and code, and names a page and a section that there are", async () => {
    const mesh = await aMesh();
    for (const name of [...Object.keys(REASONS), ...Object.keys(CODES)]) {
      const { code, out } = await call(mesh, `explain ${name} -o json`, { manifest: "missing" });
      const { page, runbook = "docs/runbook.md", means, cure }: Explanation = JSON.parse(out);
      expect([name, code, means === "", cure === ""]).toEqual([name, 0, false, false]);
      for (const link of [page, runbook]) {
        const [path = "", anchor] = link.split("#");
        expect(anchor === undefined || headings(path).includes(anchor) ? "" : `${name}: ${link}`).toBe("");
      }
    }
  });

  it("leads from each error, and from all that the runbook names, to a section that is about it", async () => {
    const mesh = await aMesh();
    const sections = readFileSync(join(ROOT, "docs/runbook.md"), "utf8").split(/^## /m).slice(1);
    // A word of istiod's log, too, and there it is about another account than the code.
    const named = Object.keys({ ...REASONS, ...CODES })
      .filter((each) => each !== "Unauthorized")
      .filter((each) => sections.some((text) => text.includes(`\`${each}\``)));
    const errors = Object.entries(REASONS).flatMap(([reason, { severity }]) =>
      severity === "error" ? [reason] : [],
    );
    expect(named.length).toBeGreaterThan(40);
    for (const name of new Set([...named, ...errors])) {
      const { out } = await call(mesh, `explain ${name} -o json`, { manifest: "missing" });
      const { runbook = "" }: Explanation = JSON.parse(out);
      const text = sections.find((each) =>
        runbook.endsWith(`#${anchorOfHeading(each.split("\n")[0] ?? "")}`),
      );
      const isAbout = text !== undefined && (!named.includes(name) || text.includes(`\`${name}\``));
      expect([name, runbook, isAbout]).toEqual([name, runbook, true]);
    }
  });

  it("says what a reason means, how bad it is, what mends it, and where to read on", async () => {
    const { out } = await call(await aMesh(), "explain massleave");
    expect(out).toMatch(/^MassLeave {2}error\n\nMore members than MESHJOIN_MASS_LEAVE_SHARE/);
    expect(out).toMatch(/^cure: .*meshjoin sync --yes.*print-identity-token/m);
    expect(out).toMatch(/^page: docs\/reference\/reasons\.md#massleave$/m);
    expect(out).toMatch(/^runbook: docs\/runbook\.md#a-member-has-lost-its-label$/m);
  });

  it("suggests the nearest of what it does not know", async () => {
    expect(await call(await aMesh(), "explain MasLeave")).toMatchObject({
      code: 2,
      out: "",
      err: "error: there is no reason MasLeave\ncure: did you mean MassLeave?\n",
    });
  });
});
