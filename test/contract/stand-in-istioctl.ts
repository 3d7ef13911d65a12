import { chmod, writeFile } from "node:fs/promises";

export const VERSION_LABEL = "app.kubernetes.io/version";

interface StandIn {
  /** The sandbox's own. */
  readonly istioctl: string;
  readonly release: string;
  /** YAML that it renders besides. */
  readonly more?: string;
}

/**
 * The istioctl of a release cannot be had here. This one stands in for it where its rendering is concerned,
 * and there alone: the sandbox's own renders, and its charts' version is rewritten.
 */
export async function standInForTheRelease(
  path: string,
  { istioctl, release, more = "" }: StandIn,
): Promise<string> {
  const version = `s#${VERSION_LABEL}: .*#${VERSION_LABEL}: "${release}"#`;
  const script = `#!/bin/sh\nset -eu\n"${istioctl}" "$@" | sed '${version}'\ncat <<'END'\n${more}\nEND\n`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}
