import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { userCache } from "../../sandbox/binaries/cache.ts";
import { type Finished, run, runIfThere } from "../run.ts";
import { isUnattended } from "../unattended.ts";
import type { Step } from "./tool.ts";

/** https://pypi.org/project/checkov: other versions have other policies. */
const PACKAGE = "checkov==3.3.30";
/** Without asking anybody for anything: neither for modules nor for what a finding is called on some server. */
const ARGS = ["--framework", "terraform", "--quiet", "--compact", "--skip-download", "--directory"];

/**
 * Policies for what is declared. An exception stands at its resource, with its reason. Runs a checkov of this machine; where nobody
 * watches, one is put into the user's cache.
 */
export async function judgedByCheckov(directory: string): Promise<Step> {
  const name = "checkov";
  const own = await runIfThere("checkov", [...ARGS, directory]);
  if (own !== undefined) return { name, faults: faultsOf(own) };
  const python = isUnattended() ? await pythonWithPip() : undefined;
  if (python === undefined) return { name, notRun: `there is no checkov on PATH (pip install ${PACKAGE})` };
  const packages = userCache("python", `${PACKAGE.replace("==", "-")}-${python}`);
  if (!existsSync(packages)) {
    const refused = await install(packages);
    if (refused !== undefined) return { name, faults: [refused] };
  }
  const env = { ...process.env, PYTHONPATH: packages };
  return {
    name,
    faults: faultsOf(await run("python3", ["-m", "checkov.main", ...ARGS, directory], { env })),
  };
}

/** Version and platform, which some packages are made for; undefined where there is no pip. */
async function pythonWithPip(): Promise<string | undefined> {
  const tag =
    "import pip, sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sep='-')";
  const finished = await runIfThere("python3", ["-c", tag]);
  return finished?.code === 0 ? finished.output.trim() : undefined;
}

function faultsOf({ code, output }: Finished): string[] {
  return code === 0 ? [] : [output.trim()];
}

/** Renamed when it is whole. Answers with what pip said, if it could not. */
async function install(directory: string): Promise<string | undefined> {
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(`${directory}.`);
  try {
    const fresh = join(work, "site");
    const args = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--target",
      fresh,
      PACKAGE,
    ];
    const { code, output } = await run("python3", args);
    if (code !== 0) return `cannot be installed: ${output.trim()}`;
    await rename(fresh, directory);
    return undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
