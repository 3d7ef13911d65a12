import { notesOf } from "./changelog.ts";

export interface Notes {
  readonly changelog: string;
  /** package.json's. */
  readonly version: string;
  /** Of Istio. */
  readonly istio: string;
  readonly isSnapshot: boolean;
}

const SANDBOX_ONLY =
  "**For the sandbox alone.** It holds the charts of a development snapshot of Istio, which no real cluster may get.";

/** What the version brings, with the Istio that it installs. */
export function releaseNotes({ changelog, version, istio, isSnapshot }: Notes): string {
  const parts = [
    `# Meshjoin ${version}`,
    ...(isSnapshot ? [SANDBOX_ONLY] : []),
    `It installs Istio ${istio}.`,
    notesOf(changelog, version),
  ];
  return `${parts.join("\n\n")}\n`;
}
