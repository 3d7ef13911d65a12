import { inCopy, rootsOf, variablesOf } from "./copy.ts";
import { isRegistryUnreachable } from "./registry.ts";
import { readSchema, type Schema, versionsIn } from "./schema.ts";
import { withStandIn } from "./stand-in/provider.ts";
import { NO_TERRAFORM, type Step, terraform } from "./tool.ts";

/** Faults that Terraform finds in a copy of the modules. The environment leads it to a provider. */
type Trial = (copy: string, environment: NodeJS.ProcessEnv) => Promise<string[]>;

/**
 * With a provider that knows the types of the real one, and makes nothing: the names by the oldest and the
 * newest that the modules allow, and by the newest the modules as they are, to the end of an apply.
 */
export async function withStandInProvider(directory: string): Promise<Step[]> {
  const oldest = readSchema("oldest");
  const newest = readSchema("newest");
  return [
    ...(await triedWithStandIn(directory, oldest, { [validateStep(oldest)]: validated })),
    ...(await triedWithStandIn(directory, newest, {
      [validateStep(newest)]: validated,
      "terraform test, with a stand-in of the provider": tested,
      "terraform apply, with a stand-in of the provider": (copy) => applied(copy, newest),
    })),
  ];
}

function validateStep(schema: Schema): string {
  return `terraform validate, with a stand-in of ${versionsIn(schema)}`;
}

async function triedWithStandIn(
  directory: string,
  schema: Schema,
  trials: Readonly<Record<string, Trial>>,
): Promise<Step[]> {
  return await withStandIn(schema, async (environment) => await tried(directory, environment, trials));
}

/** With the provider itself: as far as it needs no account. */
export async function withProvider(directory: string): Promise<Step[]> {
  return await tried(directory, {}, { "terraform validate": validated, "terraform test": tested });
}

async function tried(
  directory: string,
  environment: NodeJS.ProcessEnv,
  trials: Readonly<Record<string, Trial>>,
): Promise<Step[]> {
  return await inCopy(directory, async (copy) => {
    const notRun = await initialise(copy, environment);
    if (notRun !== undefined) return Object.keys(trials).map((name) => ({ name, ...notRun }));
    const steps: Step[] = [];
    for (const [name, trial] of Object.entries(trials))
      steps.push({ name, faults: await trial(copy, environment) });
    return steps;
  });
}

/** Undefined where all is ready. */
async function initialise(
  copy: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ notRun: string } | { faults: string[] } | undefined> {
  for (const root of rootsOf(copy)) {
    const finished = await terraform([`-chdir=${root}`, "init", "-backend=false"], environment);
    if (finished === undefined) return { notRun: NO_TERRAFORM };
    if (finished.code !== 0 && isRegistryUnreachable(finished.output))
      return { notRun: "the provider registry cannot be reached" };
    if (finished.code !== 0) return { faults: [finished.output.trim()] };
  }
  return undefined;
}

async function validated(copy: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const found = await Promise.all(rootsOf(copy).map((root) => faultsOf(root, ["validate"], environment)));
  return found.flat();
}

async function tested(copy: string, environment: NodeJS.ProcessEnv): Promise<string[]> {
  return await faultsOf(copy, ["test"], environment);
}

/**
 * Each in a cloud of its own. Applied once, a module has nothing left to change: `-detailed-exitcode` makes
 * of the contrary a failure.
 */
async function applied(copy: string, schema: Schema): Promise<string[]> {
  const found = await Promise.all(
    rootsOf(copy).map(
      async (root) =>
        await withStandIn(schema, async (environment) => {
          const variables = variablesOf(root, copy);
          const first = await faultsOf(root, ["apply", "-auto-approve", ...variables], environment);
          if (first.length > 0) return first;
          return await faultsOf(root, ["plan", "-detailed-exitcode", ...variables], environment);
        }),
    ),
  );
  return found.flat();
}

async function faultsOf(
  root: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string[]> {
  const finished = await terraform([`-chdir=${root}`, ...args], environment);
  return finished?.code === 0 ? [] : [`${root}: ${finished?.output.trim() ?? NO_TERRAFORM}`];
}
