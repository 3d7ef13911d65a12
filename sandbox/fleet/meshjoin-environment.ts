import { join } from "node:path";
import { renderExports } from "../os/shell.ts";

export interface CommandLineTarget {
  readonly project: string;
  /** `host:port` of the metadata server of the person who uses the sandbox. */
  readonly metadataHost: string;
  /** `MESHJOIN_*` as the functions have them. */
  readonly settings: Readonly<Record<string, string>>;
}

export function meshjoinEnvironmentFile(dir: string): string {
  return join(dir, "meshjoin.env");
}

/**
 * Lines for a POSIX shell in which the command `meshjoin` works on the sandbox, with credentials of the
 * sandbox: those that the machine has for Google Cloud are hidden, because google-auth-library would take
 * them first.
 */
export function renderMeshjoinEnvironment(dir: string, target: CommandLineTarget): string {
  return renderExports({
    ...target.settings,
    CLOUDSDK_CONFIG: join(dir, "gcloud"),
    GCE_METADATA_HOST: target.metadataHost,
    GOOGLE_APPLICATION_CREDENTIALS: "",
    GOOGLE_CLOUD_PROJECT: target.project,
    METADATA_SERVER_DETECTION: "assume-present",
  });
}
