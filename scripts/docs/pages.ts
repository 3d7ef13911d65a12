import { renderCliReference } from "./cli-reference.ts";
import { renderConfigReference } from "./config-reference.ts";
import { renderErrorsReference } from "./errors-reference.ts";
import { renderDesign } from "./layers.ts";
import { signOpenApi } from "./openapi/sign-intermediate.ts";
import { openApi } from "./openapi/sync-mesh.ts";
import { renderReasonsReference } from "./reasons-reference.ts";
import { renderTerraformReference } from "./terraform-reference.ts";

/**
 * Pages that are made from code, in whole or in part, by their paths; a test fails when one of them is stale.
 */
export const PAGES: Readonly<Record<string, () => string>> = {
  "docs/design.md": renderDesign,
  "docs/reference/cli.md": renderCliReference,
  "docs/reference/config.md": renderConfigReference,
  "docs/reference/errors.md": renderErrorsReference,
  "docs/reference/openapi.json": () => renderJson(openApi()),
  "docs/reference/reasons.md": renderReasonsReference,
  "docs/reference/sign-intermediate.openapi.json": () => renderJson(signOpenApi()),
  "docs/reference/terraform.md": renderTerraformReference,
};

function renderJson(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
