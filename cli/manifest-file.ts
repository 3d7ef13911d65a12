import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../shared/errors.ts";
import { BUILD_COMMAND, type ManifestFile } from "./manifest.ts";

const BUILD = fileURLToPath(new URL("../scripts/build/build.ts", import.meta.url));

/** The manifest in `dist/`. The build runs in its own process, so the CLI does not load the bundler. */
export function manifestFile(path: URL, env: NodeJS.ProcessEnv): ManifestFile {
  return {
    buildsRelease: Boolean(env["MESHJOIN_ISTIOCTL"]),
    async renderer() {
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) return undefined;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what scripts/build/manifest/render.ts writes; anything else counts as unfit
      const { renderer } = JSON.parse(text) as { renderer?: string };
      return renderer === "release" ? "release" : "snapshot";
    },
    async build() {
      const child = spawn(process.execPath, [BUILD], { env, stdio: ["ignore", 2, "inherit"] });
      const [code]: unknown[] = await once(child, "close");
      if (code === 0) return;
      throw new ConfigError("dist/ could not be built", {
        code: "BuildFailed",
        cure: `mend the faults above, or run ${BUILD_COMMAND}`,
      });
    },
  };
}
