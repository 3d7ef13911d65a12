import { renderConfigReference } from "./config-reference.ts";

/** Pages that are made from code, by their paths; a test fails when one of them is stale. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "docs/reference/config.md": renderConfigReference,
};
