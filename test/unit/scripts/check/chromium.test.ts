import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { findChromium } from "../../../../scripts/check/chromium.ts";
import { isUnattended } from "../../../../scripts/unattended.ts";

describe("findChromium", () => {
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "chromium-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function put(name: string, answer: string): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, `#!/bin/sh\necho '${answer}'\n`);
    await chmod(path, 0o755);
    return path;
  }

  it("takes what CHROME_BIN names", async () => {
    const own = await put("own", "Google Chrome 150.0.1.2");
    await put("chromium", "Chromium 150.0.1.2");
    expect(await findChromium({ CHROME_BIN: own, PATH: dir })).toBe(own);
  });

  it("refuses a CHROME_BIN that is no browser", async () => {
    await put("chromium", "Chromium 150.0.1.2");
    const env = { CHROME_BIN: join(dir, "none"), PATH: dir };
    await expect(findChromium(env)).rejects.toThrow(/CHROME_BIN is .*none, and that is no Chromium: install/);
  });

  it("looks on PATH, and passes over what only has the name", async () => {
    await put("chromium", "this command requires the chromium snap");
    const chrome = await put("google-chrome", "Google Chrome 150.0.1.2");
    expect(await findChromium({ PATH: `/nowhere:${dir}` })).toBe(chrome);
  });
});

it.each([
  [{ CI: "true" }, true],
  [{ CI: "" }, false],
  [{}, false],
])("tests with %j run unattended: %s", (env, expected) => {
  expect(isUnattended(env)).toBe(expected);
});
