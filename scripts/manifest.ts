import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureBinaries } from "../sandbox/binaries/build.ts";
import { CACHE, ROOT } from "./paths.ts";
import { type Manifest, renderTemplate } from "./render.ts";
import { type Pin, parsePin } from "./render-settings.ts";
import { writeIfChanged } from "./write-file.ts";

/** All that decides what a rendering looks like and whether it is accepted, beside istioctl itself. */
const INPUTS = [
  "shared/istio/pin.json",
  "shared/istio/values.yaml",
  "shared/istio/template.ts",
  "scripts/render.ts",
  "scripts/render-settings.ts",
  "scripts/promises.ts",
];

export interface ManifestText {
  readonly json: string;
  readonly renderer: Manifest["renderer"];
  readonly release: string;
}

async function inputsHash(istioctl: string): Promise<string> {
  const { size, mtimeMs } = await stat(istioctl).catch((cause: unknown) => {
    throw new Error(`${istioctl} cannot be read: name the istioctl that renders by its path`, { cause });
  });
  const hash = createHash("sha256").update(JSON.stringify([istioctl, size, mtimeMs]));
  for (const input of INPUTS) hash.update(await readFile(join(ROOT, input)));
  return hash.digest("hex").slice(0, 16);
}

async function renderOnce(istioctl: string, pin: Pin): Promise<string> {
  const file = join(CACHE, `manifest-${await inputsHash(istioctl)}.json`);
  const rendered = await readFile(file, "utf8").catch(() => undefined);
  if (rendered !== undefined) return rendered;
  const userYaml = await readFile(join(ROOT, "shared/istio/values.yaml"), "utf8");
  const json = JSON.stringify(await renderTemplate({ istioctl, pin, userYaml }));
  await writeIfChanged(file, json);
  return json;
}

/**
 * The manifest of the bundle, rendered once for the same inputs. With the istioctl of the pinned release (`releaseIstioctl`)
 * it is the one to deploy; without, the sandbox's own istioctl makes the one for the sandbox.
 */
export async function manifestText(
  progress: (line: string) => void,
  releaseIstioctl: string | undefined,
): Promise<ManifestText> {
  const pin = parsePin(await readFile(join(ROOT, "shared/istio/pin.json"), "utf8"));
  if (releaseIstioctl === undefined) {
    const { istioctl } = await ensureBinaries(progress, pin.release);
    return { json: await renderOnce(istioctl, pin), renderer: "snapshot", release: pin.release };
  }
  const json = await renderOnce(releaseIstioctl, pin);
  if (!json.includes('"renderer":"release"')) {
    throw new Error(
      `${releaseIstioctl} does not hold the charts of Istio ${pin.release}: name the istioctl of that release`,
    );
  }
  return { json, renderer: "release", release: pin.release };
}
