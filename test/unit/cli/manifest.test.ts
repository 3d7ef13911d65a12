import { describe, expect, it } from "@jest/globals";
import { ensureManifest, type ManifestFile, type Renderer } from "../../../cli/manifest.ts";
import { inWords } from "../../../shared/errors.ts";

interface Case {
  readonly present: Renderer | undefined;
  readonly inSandbox: boolean;
  /** What a build would make. */
  readonly builds: Renderer;
}

async function ensure({ present, inSandbox, builds }: Case): Promise<string> {
  let renderer = present;
  const said: string[] = [];
  const file: ManifestFile = {
    buildsRelease: builds === "release",
    renderer: async () => renderer,
    async build() {
      renderer = builds;
    },
  };
  try {
    await ensureManifest(file, inSandbox, (line) => said.push(line));
    return said.length === 0 ? "used" : "built";
  } catch (error) {
    return `${String(error)}\n${inWords(error)}`;
  }
}

describe("ensureManifest", () => {
  it.each<[Case, string]>([
    [{ present: "release", inSandbox: false, builds: "snapshot" }, "used"],
    [{ present: "release", inSandbox: true, builds: "snapshot" }, "used"],
    [{ present: "snapshot", inSandbox: true, builds: "snapshot" }, "used"],
    [{ present: undefined, inSandbox: true, builds: "snapshot" }, "built"],
    [{ present: undefined, inSandbox: false, builds: "release" }, "built"],
  ])("%j: %s", async (given, outcome) => {
    expect(await ensure(given)).toBe(outcome);
  });

  it.each<[Case, string]>([
    [{ present: "snapshot", inSandbox: false, builds: "snapshot" }, "not for real clusters"],
    [{ present: "snapshot", inSandbox: false, builds: "release" }, "not for real clusters"],
    [{ present: undefined, inSandbox: false, builds: "snapshot" }, "dist/ is not built"],
  ])("%j is refused with the command that mends it", async (given, words) => {
    const outcome = await ensure(given);
    expect(outcome).toContain("ConfigError");
    expect(outcome).toContain(words);
    expect(outcome).toContain("npm run build -- --release --istioctl");
  });
});
