import { chromium } from "playwright-core";
import { CHROMIUM_CURE, findChromium } from "../check/chromium.ts";

/** Wide enough for the page's columns, and narrow enough for a README. */
const VIEWPORT = { width: 1120, height: 760 };

/**
 * The first screen of a page of the mesh, as `docs/page.png` shows it:
 * `node scripts/docs/picture.ts URL docs/page.png`, with the address of `sync-mesh` of a sandbox whose
 * mesh was just synced.
 */
async function takePicture(url: string, path: string): Promise<void> {
  const executablePath = await findChromium(process.env);
  if (executablePath === undefined) throw new Error(`there is no Chromium: ${CHROMIUM_CURE}`);
  const browser = await chromium.launch({ executablePath });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT, reducedMotion: "reduce", colorScheme: "light" });
    await page.goto(url);
    await page.screenshot({ path });
  } finally {
    await browser.close();
  }
}

const [url, path] = process.argv.slice(2);
if (url === undefined || path === undefined) {
  throw new Error("say what and where to: node scripts/docs/picture.ts URL docs/page.png");
}
await takePicture(url, path);
