import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Said by a page when all that it had to say before has been heard. */
const SETTLED = "settled";
/** More stops than this are no way to go. */
const STOPS_MAX = 300;

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath });
}

export interface Visit {
  readonly page: Page;
  /**
   * What the browser has to say against the page so far: its console, its policy, requests to other places.
   */
  readonly complaints: readonly string[];
}

/** Looks at an address in a profile of its own, which is gone afterwards. */
export async function visit<T>(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
  look: (visit: Visit) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const complaints: string[] = [];
  context.on("console", (message) => {
    if (message.text() !== SETTLED) complaints.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(`error: ${error.error().message}`));
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`request: ${request.url()}`);
  });
  await context.addInitScript({
    content: `document.addEventListener("securitypolicyviolation",
      ({ violatedDirective, blockedURI }) => console.error("violates " + violatedDirective + " " + blockedURI));`,
  });
  try {
    const page = await context.newPage();
    await page.goto(url);
    return await look({ page, complaints });
  } finally {
    await context.close();
  }
}

/** Waits until the browser has drawn the page, and has told of everything that came up until then. */
export async function settle(page: Page): Promise<void> {
  const heard = page.waitForEvent("console", (message) => message.text() === SETTLED);
  await page.evaluate(
    `new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))).then(() => console.log("${SETTLED}"))`,
  );
  await heard;
}

/** Waits until the browser complains of that. */
export async function complaint({ page, complaints }: Visit, text: string): Promise<void> {
  while (!complaints.some((each) => each.includes(text))) await page.waitForEvent("console");
}

/** What axe has against the page, as sentences. Needs a context that lets its script in: `bypassCSP`. */
export async function axeViolations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.addScriptTag({ content: axe.source });
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run({ resultTypes: ['violations'] })");
  return violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map(({ target }) => target.join(" "));
    return `${id}: ${help}: ${places.join(", ")} (${nodes.length})`;
  });
}

/** Goes on by the Tab key until a control of that name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === name) return;
  }
  throw new Error(`no way by keyboard to ${name}`);
}

/** The name of what has the focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText",
  );
}

/** Does something that loads a document, and waits for that. */
export async function andLoad(page: Page, act: () => Promise<void>): Promise<void> {
  const loaded = page.waitForEvent("load");
  await act();
  await loaded;
}
