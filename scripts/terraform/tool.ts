import { type Finished, runIfThere } from "../run.ts";

/** What became of one step of a check: it may be that it cannot be done here. */
export type Step =
  | { readonly name: string; readonly faults: readonly string[] }
  | { readonly name: string; readonly notRun: string };

/** The registry is asked once and not for long: where it cannot be reached, every check would wait for it. */
const ENVIRONMENT = {
  CHECKPOINT_DISABLE: "1",
  TF_IN_AUTOMATION: "1",
  TF_CLI_ARGS: "-no-color",
  TF_INPUT: "0",
  TF_REGISTRY_CLIENT_TIMEOUT: "10",
  TF_REGISTRY_DISCOVERY_RETRY: "0",
};

export const NO_TERRAFORM = "there is no terraform on PATH";

/** Undefined where there is no terraform. */
export async function terraform(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished | undefined> {
  return await runIfThere("terraform", args, {
    env: { ...process.env, ...ENVIRONMENT, ...environment },
  });
}

export async function formatted(directory: string): Promise<Step> {
  const name = "terraform fmt";
  const finished = await terraform(["fmt", "-check", "-recursive", directory]);
  if (finished === undefined) return { name, notRun: NO_TERRAFORM };
  const files = finished.output.split("\n").filter((line) => line.endsWith(".tf") || line.endsWith(".hcl"));
  if (finished.code === 0) return { name, faults: [] };
  return {
    name,
    faults: files.map((file) => `${file}: not formatted; run terraform fmt -recursive terraform`),
  };
}
