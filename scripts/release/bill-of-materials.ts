import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../paths.ts";

const OUTPUT_MAX = 64 * 1024 * 1024;
/** Neither when nor under which random number it was made. */
const FLAGS = ["--omit", "dev", "--omit", "optional", "--output-reproducible", "--output-file", "-"];

/**
 * Every package that the release holds or has installed, as CycloneDX, by the tool of the CycloneDX project.
 * What only develops and tests Meshjoin is in none of its files.
 */
export async function billOfMaterials(version: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(ROOT, "node_modules", ".bin", "cyclonedx-npm"),
    [...FLAGS, "package.json"],
    { cwd: ROOT, maxBuffer: OUTPUT_MAX },
  );
  const bom: { metadata: { component: { version: string } } } = JSON.parse(stdout);
  bom.metadata.component.version = version;
  return `${JSON.stringify(bom, null, 2)}\n`;
}
