import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** What the build makes and Cloud Functions takes. */
export const DIST = join(ROOT, "dist");
/** What may be deleted at any time. */
export const CACHE = join(ROOT, "node_modules", ".cache", "meshjoin");
