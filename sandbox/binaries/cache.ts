import { homedir } from "node:os";
import { join } from "node:path";

/** Kept for every checkout of this user: what was built or fetched once. */
export function userCache(...names: readonly string[]): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "meshjoin", ...names);
}
