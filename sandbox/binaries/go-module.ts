import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

const MODULE = fileURLToPath(new URL(".", import.meta.url));
const downloadSchema = z.object({ Dir: z.string() });

/** The directory of a module that the sandbox's Go module requires, in the version that it requires. */
export async function goModuleDirectory(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)("go", ["mod", "download", "-json", path], {
    cwd: MODULE,
    env: { ...process.env, GOWORK: "off" },
  });
  return downloadSchema.parse(JSON.parse(stdout)).Dir;
}
