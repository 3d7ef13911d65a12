import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { CHROMIUM_CURE, findChromium } from "../../scripts/check/chromium.ts";
import { isUnattended } from "../../scripts/unattended.ts";
import { finding } from "../../shared/core/answers/finding.ts";
import { aView, everything } from "../support/builders/page-view.ts";
import { aMemberStatus, aStatus } from "../support/builders/status.ts";
import {
  andLoad,
  axeViolations,
  complaint,
  DESKTOP,
  focused,
  launch,
  PHONE,
  settle,
  tabTo,
  type Visit,
  visit,
} from "./page/browser.ts";
import { type PageServer, startPageServer } from "./page/server.ts";
import { VIEWS } from "./page/views.ts";

/** A busy machine is slow without being wrong. */
const TIMEOUT_MS = 180_000;
/**
 * `PAGE_SHOTS=/tmp/shots npm run test:contract -- page`: what every page looks like, for people to look at.
 */
const SHOTS = process.env["PAGE_SHOTS"] ?? "";

const LOOKS = [
  ["desktop", DESKTOP, "light"],
  ["desktop", DESKTOP, "dark"],
  ["phone", PHONE, "light"],
  ["phone", PHONE, "dark"],
] as const;

/** More members make a matrix of hundreds of cells. */
const LARGE = 20;

const browserPath = await findChromium();

describe("the page", () => {
  if (browserPath === undefined) {
    withoutBrowser();
    return;
  }

  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(browserPath), startPageServer()]);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await browser.close();
    await server.close();
  }, TIMEOUT_MS);

  const look = <T>(options: BrowserContextOptions, use: (seen: Visit) => Promise<T>, path = ""): Promise<T> =>
    visit(browser, server.url + path, options, use);
  const still = { javaScriptEnabled: false };

  it.each(VIEWS)(
    "of %s stands alone and fits, in light and dark, on a desktop and a phone",
    async (name, view) => {
      server.show(view);
      await look({}, async ({ page, complaints }) => {
        for (const [device, viewport, colorScheme] of LOOKS) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          await page.reload();
          await settle(page);
          expect([device, colorScheme, await overflow(page)]).toEqual([device, colorScheme, 0]);
          if (SHOTS !== "") {
            const file = `${name} ${device} ${colorScheme}.png`.replaceAll(" ", "-");
            await page.screenshot({ path: join(SHOTS, file), fullPage: true });
          }
          const cut = viewport === PHONE ? await page.evaluate<string[]>(CUT) : [];
          expect([device, colorScheme, cut]).toEqual([device, colorScheme, []]);
        }
        expect(complaints).toEqual([]);
      });
      expect(server.requests).toEqual(["", ...LOOKS].map(() => "GET /"));
    },
    TIMEOUT_MS,
  );

  it.each(VIEWS)(
    "of %s keeps nobody out, in light and dark, on a desktop and a phone",
    async (_, view) => {
      // Not while it is being looked at.
      server.show({ ...view, refreshSeconds: 600 });
      await look({ bypassCSP: true }, async ({ page }) => {
        const isLarge = view.status.members.length > LARGE;
        // A large matrix takes axe long, and a phone has no other colours.
        const looks = isLarge ? LOOKS.filter(([device]) => device === "desktop") : LOOKS;
        if (!isLarge || view.status.findings.length > 0) await page.evaluate(UNFOLD);
        for (const [device, viewport, colorScheme] of looks) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          expect([device, colorScheme, await axeViolations(page)]).toEqual([device, colorScheme, []]);
        }
      });
    },
    TIMEOUT_MS,
  );

  describe("what must not be is noticed:", () => {
    it.each([
      ["a script", "<script>document.title = 'x'</script>", "script-src"],
      ["a style", '<p style="color:red">x</p>', "style-src"],
      ["a picture from elsewhere", '<img alt="" src="http://127.0.0.1:9/x.png">', "img-src"],
      ["a frame", '<iframe title="x" src="http://127.0.0.1:9/"></iframe>', "frame-src"],
    ])(
      "%s",
      async (_, markup, directive) => {
        server.show(aView(), (html) => html.replace("</main>", `${markup}</main>`));
        await look({}, async (seen) => {
          await complaint(seen, `violates ${directive}`);
          expect(seen.complaints).toContainEqual(expect.stringContaining(`violates ${directive}`));
        });
      },
      TIMEOUT_MS,
    );

    it(
      "a request to another place, where no policy forbids it",
      async () => {
        const markup = '<img alt="" src="http://127.0.0.1:9/x.png">';
        server.show(aView(), (html) => html.replace("</main>", `${markup}</main>`));
        await look({ bypassCSP: true }, async ({ complaints }) => {
          expect(complaints).toContain("request: http://127.0.0.1:9/x.png");
        });
      },
      TIMEOUT_MS,
    );

    it(
      "what is too wide, what is not described, and what is hard to read",
      async () => {
        const markup =
          '<img src="data:,"><p style="color:#ccc;background:#fff;width:2000px">hard to read</p>';
        server.show(aView(), (html) => html.replace("</main>", `${markup}</main>`));
        await look({ viewport: PHONE, bypassCSP: true }, async ({ page }) => {
          expect(await overflow(page)).toBeGreaterThan(1000);
          expect((await axeViolations(page)).join("\n")).toMatch(/color-contrast[^]*image-alt/);
        });
      },
      TIMEOUT_MS,
    );
  });

  it(
    "tells without JavaScript what there is to know",
    async () => {
      server.show(aView(everything()));
      await look(still, async ({ page }) => {
        await expectVisible(page.getByRole("heading", { level: 1, name: "Mesh shop-prod" }));
        await expectVisible(page.getByText(/^1 member unreachable, 4 of 12 pairs not synced, /));
        await expectVisible(page.getByRole("img", { name: "Members and pairs of mesh shop-prod" }));
        await expectVisible(page.getByRole("heading", { name: "error MemberLost 2 times" }).first());
        await expectVisible(page.getByRole("table", { name: "A sync would create 1, update 1, delete 1" }));
        const members = page.getByRole("table", { name: "Members, those with trouble first" });
        await expectVisible(members.getByText("unreachable"));
        await page.getByText("Matrix of all 12 pairs").click();
        const matrix = page.getByRole("table", { name: "Readers (rows) and their targets" });
        const row = matrix.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "catalog" }) });
        expect(await row.getByRole("cell").allInnerTexts()).toEqual([
          "itself",
          "missing",
          "closed",
          "synced",
        ]);
      });
    },
    TIMEOUT_MS,
  );

  it(
    "shows foreign text as text",
    async () => {
      const text = `</style><script>alert(1)</script>"><img src=x onerror=alert(1)>\u202egpj`;
      const member = aMemberStatus({ findings: [finding("RunFailed", text, text)] });
      server.show(aView({ status: { ...aStatus({ members: 0 }), members: [member] } }));
      await look({}, async ({ page, complaints }) => {
        await settle(page);
        const shown = await page.locator("#findings li p").nth(1).innerText();
        expect(shown).toBe(text.replace("\u202e", "\\u{202e}"));
        expect(complaints).toEqual([]);
      });
    },
    TIMEOUT_MS,
  );

  describe("with JavaScript", () => {
    it(
      "copies a command",
      async () => {
        server.show(aView({ status: aStatus({ troubled: true }) }));
        const permissions = ["clipboard-read", "clipboard-write"];
        await look({ permissions }, async ({ page, complaints }) => {
          const copy = "Copy kubectl -n istio-system rollout restart deployment istiod";
          await page.getByRole("button", { name: copy }).first().click();
          await expectVisible(page.getByRole("status").getByText("Copied"));
          const held = await page.evaluate<string>("navigator.clipboard.readText()");
          expect(`Copy ${held}`).toBe(copy);
          expect(complaints).toEqual([]);
        });
      },
      TIMEOUT_MS,
    );

    it.each([
      ["Asia/Tokyo", "(Sun, 20:59 GMT+9)"],
      ["UTC", ""],
    ])(
      "has the time in %s beside UTC",
      async (timezoneId, expected) => {
        server.show(aView());
        await look({ timezoneId, locale: "en-GB" }, async ({ page }) => {
          const seen = await page.locator(".verdict").innerText();
          expect(seen.split("UTC")[1]?.trim()).toBe(expected);
        });
      },
      TIMEOUT_MS,
    );

    it(
      "keeps open, when it comes anew, what a person has opened",
      async () => {
        server.show(aView());
        await look({}, async ({ page }) => {
          await page.getByText("Matrix of all 6 pairs").click();
          await expectVisible(page.getByRole("table", { name: "Readers (rows)" }));
          await page.reload();
          await expectVisible(page.getByRole("table", { name: "Readers (rows)" }));
          await page.getByText("Matrix of all 6 pairs").click();
          await page.reload();
          expect(await page.getByRole("table", { name: "Readers (rows)" }).isVisible()).toBe(false);
        });
      },
      TIMEOUT_MS,
    );
  });

  it(
    "without JavaScript has no button that does nothing, and UTC alone",
    async () => {
      server.show(aView({ status: aStatus({ troubled: true }) }));
      await look({ ...still, timezoneId: "Asia/Tokyo" }, async ({ page }) => {
        expect(await page.getByRole("button", { name: /^Copy/ }).count()).toBe(0);
        expect(await page.locator(".verdict").innerText()).toMatch(/UTC$/);
      });
    },
    TIMEOUT_MS,
  );

  describe("by keyboard alone, without JavaScript,", () => {
    it(
      "plans and syncs the mesh and one member",
      async () => {
        server.show(aView());
        const scope = "cn-shop-prod-data-us-central1-checkout";
        const planOnly = { csrf: "a token", scope: "mesh", action: "plan" };
        const sync = { csrf: "a token", scope: "mesh", action: "sync" };
        await look(still, async ({ page }) => {
          await tabTo(page, "Show the plan of checkout");
          await andLoad(page, () => page.keyboard.press("Enter"));
          await tabTo(page, "Show the plan");
          await andLoad(page, () => page.keyboard.press("Enter"));
          expect(server.forms).toEqual([{ ...planOnly, scope }, planOnly]);
          await tabTo(page, "Sync the mesh…");
          await page.keyboard.press("Enter");
          await tabTo(page, "Yes, sync the mesh now");
          await andLoad(page, () => page.keyboard.press("Enter"));
          expect(server.forms.at(-1)).toEqual(sync);
        });
        server.show(aView({ ...everything(), planScope: scope }));
        await look(still, async ({ page }) => {
          await tabTo(page, "Sync: make these 3 changes");
          await andLoad(page, () => page.keyboard.press("Enter"));
        });
        expect(server.forms).toEqual([{ ...sync, scope }]);
      },
      TIMEOUT_MS,
    );

    it(
      "confirms a mass leave, but not without a tick",
      async () => {
        server.show(aView(everything()));
        await look(still, async ({ page }) => {
          await tabTo(page, "Confirm and sync the mesh");
          await page.keyboard.press("Enter");
          expect(await page.locator(":focus").getAttribute("type")).toBe("checkbox");
          await page.keyboard.press("Space");
          await tabTo(page, "Confirm and sync the mesh");
          await andLoad(page, () => page.keyboard.press("Enter"));
        });
        expect(server.forms).toEqual([
          {
            csrf: "a token",
            scope: "mesh",
            leaving: "cn-shop-prod-europe-west1-one,cn-shop-prod-europe-west1-two",
            action: "sync",
          },
        ]);
      },
      TIMEOUT_MS,
    );

    it(
      "skips to the mesh",
      async () => {
        server.show(aView());
        await look(still, async ({ page }) => {
          await page.keyboard.press("Tab");
          expect(await focused(page)).toBe("Skip to the mesh");
          await page.keyboard.press("Enter");
          await page.keyboard.press("Tab");
          expect(await focused(page)).toBe("unchanged");
        });
      },
      TIMEOUT_MS,
    );

    it(
      "shows at every stop where one is",
      async () => {
        server.show(aView(everything()));
        await look({ reducedMotion: "reduce" }, async ({ page }) => {
          await page.evaluate(UNFOLD);
          const hidden: string[] = [];
          const stops = new Set<string>();
          for (;;) {
            await page.keyboard.press("Tab");
            const stop = await page.evaluate<Stop>(STOP);
            if (stop.at === "" || stops.has(stop.at)) break;
            stops.add(stop.at);
            if (!stop.isOutlined || !stop.isInView) hidden.push(stop.at);
          }
          expect(stops.size).toBeGreaterThan(40);
          expect(hidden).toEqual([]);
        });
      },
      TIMEOUT_MS,
    );
  });

  describe("comes anew by itself", () => {
    it.each([
      ["", "the whole page"],
      ["#findings", "a section"],
    ])(
      "at /%s, and keeps how far somebody has scrolled",
      async (fragment) => {
        server.show(aView({ status: aStatus({ members: 20 }), refreshSeconds: 1 }));
        await look(
          { reducedMotion: "reduce" },
          async ({ page }) => {
            await page.mouse.wheel(0, 700);
            await page.waitForFunction("scrollY > 0");
            await andLoad(page, async () => undefined);
            const before = await page.evaluate<number>("scrollY");
            expect(before).toBeGreaterThan(0);
            await andLoad(page, async () => undefined);
            expect(await page.evaluate<number>("scrollY")).toBe(before);
          },
          fragment,
        );
        expect(server.requests.length).toBeGreaterThan(2);
      },
      TIMEOUT_MS,
    );

    it(
      "until somebody stops it",
      async () => {
        server.show(aView({ refreshSeconds: 1 }));
        await look(still, async ({ page }) => {
          await page.getByRole("link", { name: "Stop refreshing" }).click();
          await page.waitForURL("**/?refresh=off");
        });
        expect(server.requests.at(-1)).toBe("GET /?refresh=off");
      },
      TIMEOUT_MS,
    );
  });
});

/** One passing test says that the page was not looked at. It fails where no person would read that. */
function withoutBrowser(): void {
  it(`is not looked at here, for want of a browser: ${CHROMIUM_CURE}`, () => {
    expect({ unattended: isUnattended() }).toEqual({ unattended: false });
  });
}

/** By how many pixels the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** Opens every fold, so that all there is can be looked at. */
const UNFOLD = "for (const fold of document.querySelectorAll('details')) fold.open = true";

/** Run in the page: what goes on outside a phone's screen, or behind a box that scrolls. */
const CUT = `(() => {
  ${UNFOLD};
  const pictures = [...document.querySelectorAll("svg[role=img]")]
    .filter((picture) => picture.getBoundingClientRect().right > innerWidth)
    .map((picture) => "picture of " + picture.getBoundingClientRect().width);
  const tables = [...document.querySelectorAll(".scroll:has(.cards)")]
    .filter((box) => box.scrollWidth > box.clientWidth)
    .map((box) => box.querySelector("caption").innerText + ": " + (box.scrollWidth - box.clientWidth));
  return [...pictures, ...tables];
})()`;

/** Waits: what a click begins may end after the click. Throws the name of an element that does not come. */
function expectVisible(element: Locator): Promise<void> {
  return element.waitFor({ state: "visible", timeout: 10_000 });
}

interface Stop {
  readonly at: string;
  readonly isOutlined: boolean;
  readonly isInView: boolean;
}

/** Run in the page: where the focus is, and whether one can see that. */
const STOP = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { at: "", isOutlined: true, isInView: true };
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { top, bottom } = element.getBoundingClientRect();
  const all = [...document.querySelectorAll("*")];
  return {
    at: all.indexOf(element) + " " + element.outerHTML.slice(0, 80),
    isOutlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    isInView: bottom > 0 && top < innerHeight,
  };
})()`;
