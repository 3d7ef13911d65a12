import { pythonPackages } from "../../sandbox/binaries/python-packages.ts";
import { type Finished, run, runIfThere } from "../run.ts";
import { isUnattended } from "../unattended.ts";
import type { Step } from "./tool.ts";

/** https://pypi.org/project/checkov: other versions have other policies. */
const PACKAGE = "checkov==3.3.30";
/** checkov asks no server: neither for modules nor for a server's names of findings. */
const ARGS = ["--framework", "terraform", "--quiet", "--compact", "--skip-download", "--directory"];

/**
 * Checks the configuration against checkov's policies. An exception stands at its resource, with its reason.
 * Runs the checkov of this machine. An unattended run without one installs it into the user's cache.
 */
export async function judgedByCheckov(directory: string): Promise<Step> {
  const name = "checkov";
  const own = await runIfThere("checkov", [...ARGS, directory]);
  if (own !== undefined) return { name, faults: faultsOf(own) };
  if (!isUnattended() || !(await hasPip()))
    return { name, notRun: `there is no checkov on PATH (pip install ${PACKAGE})` };
  try {
    const packages = await pythonPackages(PACKAGE.replace("==", "-"), install);
    const env = { ...process.env, PYTHONPATH: packages };
    return {
      name,
      faults: faultsOf(await run("python3", ["-m", "checkov.main", ...ARGS, directory], { env })),
    };
  } catch (error) {
    return { name, faults: [`cannot be installed: ${String(error).trim()}`] };
  }
}

async function hasPip(): Promise<boolean> {
  return (await runIfThere("python3", ["-m", "pip", "--version"]))?.code === 0;
}

function faultsOf({ code, output }: Finished): string[] {
  return code === 0 ? [] : [output.trim()];
}

async function install(directory: string): Promise<void> {
  const quiet = ["--quiet", "--disable-pip-version-check"];
  const args = ["-m", "pip", "install", ...quiet, "--target", directory, PACKAGE];
  const { code, output } = await run("python3", args);
  if (code !== 0) throw new Error(output);
}
