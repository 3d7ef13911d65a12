import { GoogleError } from "./http/google-error.ts";

/**
 * A Google Cloud project of the sandbox: the APIs take either name and answer with the one that the real ones
 * answer with.
 */
export interface SandboxProject {
  readonly id: string;
  readonly number: string;
}

export function findProject(projects: readonly SandboxProject[], idOrNumber: string): SandboxProject {
  const found = projects.find(({ id, number }) => id === idOrNumber || number === idOrNumber);
  if (found !== undefined) return found;
  throw new GoogleError("PERMISSION_DENIED", `Permission denied on resource project ${idOrNumber}.`);
}
