import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "@jest/globals";

/** Compares with `test/fixtures/cli/<name>.txt`; with UPDATE_GOLDENS set it writes that instead, to be looked at. */
export function expectGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`../../fixtures/cli/${name}.txt`, import.meta.url));
  if (process.env["UPDATE_GOLDENS"]) writeFileSync(path, `${text}\n`);
  expect(`${text}\n`).toBe(readFileSync(path, "utf8"));
}
