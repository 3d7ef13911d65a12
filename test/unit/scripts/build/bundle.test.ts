import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { SHARED_OPTIONS } from "../../../../scripts/build/bundle.ts";

it("tells a CommonJS dependency the file and the folder that it was bundled into", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "meshjoin-bundle-")));
  try {
    const file = join(folder, "chunk.mjs");
    const say = "console.log(JSON.stringify([__filename, __dirname, typeof require]));";
    writeFileSync(file, `${SHARED_OPTIONS.banner.js}\n${say}\n`);
    const told: unknown = JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }));
    expect(told).toEqual([file, `${folder}/`, "function"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
