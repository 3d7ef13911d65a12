import { ConfigError } from "../shared/errors.ts";

/** The rendered manifest of Istio's control plane that `npm run build` makes; the functions have the same one. */
export interface ManifestFile {
  /** By whose charts it was rendered; undefined if it is not there. */
  renderer(): Promise<Renderer | undefined>;
  /** `npm run build` as the environment has it; its progress goes to standard error. */
  build(): Promise<void>;
  /** Whether `build` has the istioctl of the pinned release at hand. */
  readonly buildsRelease: boolean;
}

/** `snapshot`: charts of the sandbox, which no real cluster may get. */
export type Renderer = "release" | "snapshot";

export const BUILD_COMMAND =
  "npm run build -- --release --istioctl ISTIOCTL, with the istioctl of the Istio release in shared/istio/pin.json";

/** Why no run may start with the manifest as it is; undefined if one may. */
export async function manifestFault(file: ManifestFile, inSandbox: boolean): Promise<string | undefined> {
  const renderer = await file.renderer();
  if (renderer === undefined) return "dist/ is not built, and with it the manifest of Istio's control plane";
  return renderer === "release" || inSandbox
    ? undefined
    : "dist/ holds Istio's manifest for the sandbox, which is not for real clusters";
}

/**
 * Builds the manifest if it is missing and a build would give a fit one: always in the sandbox, elsewhere with the
 * istioctl of the pinned release. Fails with ConfigError `ManifestUnfit`.
 */
export async function ensureManifest(
  file: ManifestFile,
  inSandbox: boolean,
  say: (line: string) => void,
): Promise<void> {
  if ((await file.renderer()) === undefined && (inSandbox || file.buildsRelease)) {
    say("building dist/, once …");
    await file.build();
  }
  const fault = await manifestFault(file, inSandbox);
  if (fault !== undefined)
    throw new ConfigError(fault, { code: "ManifestUnfit", cure: `run ${BUILD_COMMAND}` });
}
