import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../scripts/paths.ts";

/** `UPDATE_GOLDENS=1 npm run test:unit` writes them anew; look at the difference before it is committed. */
const UPDATES = (process.env["UPDATE_GOLDENS"] ?? "") !== "";

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}

/**
 * Fails where a text is not the one on record, with the first line that differs. `path` is from the project's
 * folder.
 */
export function expectGolden(path: string, actual: string): void {
  const file = join(ROOT, path);
  if (UPDATES) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  const golden = readOr(file, "");
  if (golden === actual) return;
  const [was, is] = [golden.split("\n"), actual.split("\n")];
  const line = is.findIndex((text, index) => text !== was[index]);
  const at = line === -1 ? is.length : line;
  throw new Error(
    `${path} is stale from line ${at + 1} on\n- ${was[at] ?? "(end)"}\n+ ${is[at] ?? "(end)"}\n` +
      "if that is meant: UPDATE_GOLDENS=1 npm run test:unit, and look at the difference",
  );
}
