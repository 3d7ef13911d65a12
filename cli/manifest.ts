import { ConfigError } from "../shared/errors.ts";

/** The manifest of Istio's control plane that `npm run build` renders, also for the functions. */
export interface ManifestFile {
  /** The charts that it was rendered from; undefined if it is not built. */
  renderer(): Promise<Renderer | undefined>;
  /** `npm run build` in this environment; progress goes to standard error. */
  build(): Promise<void>;
  /** Whether `build` has the istioctl of the pinned release. */
  readonly buildsRelease: boolean;
}

/** `snapshot`: charts of the sandbox, which no real cluster may get. */
export type Renderer = "release" | "snapshot";

export const BUILD_COMMAND =
  "npm run build -- --release --istioctl ISTIOCTL, with the istioctl of the Istio release in shared/istio/pin.json";

/** The fault that keeps runs from the manifest; undefined if there is none. */
export async function manifestFault(file: ManifestFile, inSandbox: boolean): Promise<string | undefined> {
  const renderer = await file.renderer();
  if (renderer === undefined) return "dist/ is not built, and with it the manifest of Istio's control plane";
  return renderer === "release" || inSandbox
    ? undefined
    : "dist/ holds Istio's manifest for the sandbox, which is not for real clusters";
}

/**
 * Builds a missing manifest if the build gives a fit one: always in the sandbox, elsewhere with the pinned
 * release's istioctl. Fails with ConfigError `ManifestUnfit`.
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
