import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ensureBinaries } from "../../../sandbox/binaries/build.ts";
import { INVENTORY } from "../../../shared/istio/needed-permissions.ts";
import { type Pin, parsePin } from "../../../shared/istio/pin.ts";
import { CACHE, ROOT } from "../../paths.ts";
import { writeIfChanged } from "../../write-file.ts";
import { assertInventory, INVENTORY_FILE, inventoryText, kindsOf } from "./inventory.ts";
import { MESH_CONFIG_FILE, updateMeshConfig } from "./mesh-config.ts";
import { type Manifest, renderTemplate } from "./render.ts";

/** All that decides what a rendering looks like and whether it is accepted, beside istioctl itself. */
const INPUTS = [
  "shared/istio/pin.json",
  "shared/istio/pin.ts",
  "shared/istio/values.yaml",
  "shared/istio/template.ts",
  "scripts/build/manifest/render.ts",
  "scripts/build/manifest/render-settings.ts",
  "scripts/build/manifest/promises.ts",
  "scripts/build/manifest/mesh-config.ts",
  MESH_CONFIG_FILE,
];

export interface ManifestOptions {
  /** Receives lines for a human. */
  readonly progress: (line: string) => void;
  /** The istioctl of the pinned release; the sandbox's own unless given. */
  readonly releaseIstioctl?: string | undefined;
  /** Take the rendering's kinds as the inventory, instead of refusing others. */
  readonly updateInventory?: boolean | undefined;
  /** Take the keys that the Istio of the sandbox knows, before values.yaml is held to them. */
  readonly updateMeshConfig?: boolean | undefined;
}

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

/** Any istioctl gives the same text, but for the field `renderer`. */
async function renderedText(istioctl: string, pin: Pin, updateInventory: boolean): Promise<string> {
  const json = await renderOnce(istioctl, pin);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as renderTemplate made it
  const kinds = kindsOf((JSON.parse(json) as Manifest).objects);
  if (updateInventory) await writeIfChanged(join(ROOT, INVENTORY_FILE), inventoryText(kinds));
  else assertInventory(kinds, INVENTORY);
  return json;
}

/**
 * The manifest of the bundle, rendered once for the same inputs. With the istioctl of the pinned release
 * (`releaseIstioctl`) it is the one to deploy; without, the sandbox's own istioctl makes the one for the
 * sandbox. Fails on kinds that the inventory does not have.
 */
export async function manifestText(options: ManifestOptions): Promise<ManifestText> {
  const { progress, releaseIstioctl, updateInventory = false } = options;
  const pin = parsePin(await readFile(join(ROOT, "shared/istio/pin.json"), "utf8"));
  if (options.updateMeshConfig === true) await updateMeshConfig();
  if (releaseIstioctl === undefined) {
    const { istioctl } = await ensureBinaries(progress, pin.release);
    const json = await renderedText(istioctl, pin, updateInventory);
    return { json, renderer: "snapshot", release: pin.release };
  }
  const json = await renderedText(releaseIstioctl, pin, updateInventory);
  if (!json.includes('"renderer":"release"')) {
    throw new Error(
      `${releaseIstioctl} does not hold the charts of Istio ${pin.release}: name the istioctl of that release`,
    );
  }
  return { json, renderer: "release", release: pin.release };
}
