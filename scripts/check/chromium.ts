import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { run } from "../run.ts";
import { isUnattended } from "../unattended.ts";

/** Commands of Linux distributions and of Google's own packages, then the applications of macOS. */
const COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const APPLICATIONS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const ANSWER_TIMEOUT_MS = 20_000;
/** The last lines of apt-get's output say what went wrong. */
const TOLD_LINES = 15;

export const CHROMIUM_CURE =
  "install Chromium (Debian, Ubuntu without snap: apt-get install chromium; macOS: brew install --cask chromium), " +
  "or set CHROME_BIN to a Chromium or Chrome";

type Environment = Readonly<Record<string, string | undefined>>;

/** A wrapper that only tells how to install a browser answers too, but not with a version. */
async function isBrowser(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: ANSWER_TIMEOUT_MS });
    return /^(?:Chromium|Google Chrome)\b.* \d+\./.test(stdout);
  } catch {
    return false;
  }
}

/**
 * The first Chromium or Chrome that starts; undefined if there is none. Fails on a `CHROME_BIN` that is no
 * browser.
 */
export async function findChromium(env: Environment = process.env): Promise<string | undefined> {
  const chosen = env["CHROME_BIN"] ?? "";
  if (chosen !== "") {
    if (await isBrowser(chosen)) return chosen;
    throw new Error(`CHROME_BIN is ${chosen}, and that is no Chromium: ${CHROMIUM_CURE}`);
  }
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [
    ...COMMANDS.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...APPLICATIONS,
  ];
  for (const path of candidates) if (await isBrowser(path)) return path;
  return undefined;
}

/**
 * Looks for a browser. Installs Debian's where tests run unattended and that can be done (root, apt-get); it
 * changes no person's own machine. Never fails: without a browser it is the tests that say so.
 */
export async function ensureChromium(progress: (line: string) => void): Promise<void> {
  if (!isUnattended() || (await findChromium().catch(() => "")) !== undefined) return;
  if (process.getuid?.() !== 0) return;
  progress("installing Chromium for the tests of the page (apt-get) …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const script =
    "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core";
  const { code, output, seconds } = await run("sh", ["-c", script], { env });
  const told = code === 0 ? "" : `:\n${output.trimEnd().split("\n").slice(-TOLD_LINES).join("\n")}`;
  progress(`Chromium ${code === 0 ? "installed" : "not installed"} after ${Math.round(seconds)} s${told}`);
}
