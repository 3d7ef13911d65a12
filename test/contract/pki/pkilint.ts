import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pip } from "../../../sandbox/binaries/pip.ts";
import { pythonPackages } from "../../../sandbox/binaries/python-packages.ts";
import { UnavailableError } from "../../../shared/errors.ts";

const REQUIREMENTS = fileURLToPath(new URL("pkilint/requirements.txt", import.meta.url));
const LINT = fileURLToPath(new URL("pkilint/lint.py", import.meta.url));

const run = promisify(execFile);

interface Report {
  readonly results: readonly {
    readonly node_path: string;
    readonly finding_descriptions: readonly { readonly code: string; readonly message: string | null }[];
  }[];
}

/**
 * The findings of severity ERROR and above, for each file. pkilint comes from the Python package index that
 * pip is set up with, once: it is kept in the user's cache.
 */
export async function lint(files: readonly string[]): Promise<string[][]> {
  const PYTHONPATH = await ensurePkilint();
  const { stdout } = await run("python3", [LINT, ...files], { env: { ...process.env, PYTHONPATH } });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { results }: Report = JSON.parse(line);
      return results.flatMap(({ node_path: at, finding_descriptions: findings }) =>
        findings.map(({ code, message }) => `${code} at ${at}${message === null ? "" : `: ${message}`}`),
      );
    });
}

async function ensurePkilint(): Promise<string> {
  try {
    const hash = createHash("sha256").update(await readFile(REQUIREMENTS));
    return await pythonPackages(`pkilint-${hash.digest("hex").slice(0, 16)}`, (directory) =>
      pip("install", REQUIREMENTS, directory),
    );
  } catch (cause) {
    throw new UnavailableError(`cannot get pkilint: ${String(cause).trimEnd()}`, {
      code: "ToolMissing",
      cure: "see that python3 is on the PATH, is Python 3.10 or newer, has pip, and that pip reaches a package index",
      cause,
    });
  }
}
