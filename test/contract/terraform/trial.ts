import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import type { Finished } from "../../../scripts/run.ts";
import type { Body } from "../../../scripts/terraform/module.ts";
import { type Age, readSchema } from "../../../scripts/terraform/schema.ts";
import { withStandIn } from "../../../scripts/terraform/stand-in/provider.ts";
import { terraform } from "../../../scripts/terraform/tool.ts";
import { isUnattended } from "../../../scripts/unattended.ts";

export const hasTerraform = (await terraform(["version"])) !== undefined;

/** One passing test says that Terraform was not tried. It fails where no person would read that. */
export function withoutTerraform(): void {
  it("is not tried here, for want of a terraform on PATH", () => {
    expect({ unattended: isUnattended() }).toEqual({ unattended: false });
  });
}

/** Terraform in one folder, with the stand-in of the providers behind it. */
export interface Trial {
  /** Fails on what Terraform refuses, with its words. */
  readonly done: (...args: readonly string[]) => Promise<void>;
  /** What Terraform says as it refuses; fails where it does not. */
  readonly refusal: (...args: readonly string[]) => Promise<string>;
  /** By address: what an apply would do. What would stay as it is is left out. */
  readonly changes: (...args: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  /** Each resource as it would be after an apply, what only Google will tell left out. */
  readonly planned: (...args: readonly string[]) => Promise<readonly PlannedResource[]>;
  /** By address: the ID of each resource in the state. */
  readonly ids: () => Promise<Readonly<Record<string, string>>>;
}

/** A cloud of its own, in which nothing has been made yet, for as long as `work` takes. */
export async function withTrial<T>(
  directory: string,
  work: (trial: Trial) => Promise<T>,
  { age = "newest", arrivesAtOnce = false }: { age?: Age; arrivesAtOnce?: boolean } = {},
): Promise<T> {
  const inCloud = async (environment: NodeJS.ProcessEnv) => {
    const run = async (args: readonly string[]): Promise<Finished> => {
      const finished = await terraform([`-chdir=${directory}`, ...args], environment);
      if (finished === undefined) throw new Error("there is no terraform");
      return finished;
    };
    const done = async (...args: readonly string[]) => {
      const { code, output } = await run(args);
      if (code !== 0) throw new Error(`terraform ${args[0]}: ${output}`);
    };
    const changesIn = async (args: readonly string[]) => {
      await done("plan", "-out=trial.plan", ...args);
      const plan: Plan = JSON.parse(jsonIn(await run(["show", "-json", "trial.plan"])));
      return plan.resource_changes ?? [];
    };
    await done("init", "-backend=false");
    return await work({
      done,
      refusal: async (...args) => {
        const { code, output } = await run(args);
        if (code === 0) throw new Error(`terraform ${args[0]} did it`);
        return unframed(output);
      },
      planned: async (...args) =>
        (await changesIn(args)).map(({ type, change }) => ({ type, values: change.after ?? {} })),
      changes: async (...args) => {
        return Object.fromEntries(
          (await changesIn(args))
            .map(({ address, change }): [string, string] => [address, change.actions.join(", ")])
            .filter(([, actions]) => actions !== "no-op" && actions !== "read"),
        );
      },
      ids: async () => {
        const state: State = JSON.parse(jsonIn(await run(["show", "-json"])));
        return Object.fromEntries(resourcesIn(state.values?.root_module ?? {}));
      },
    });
  };
  return await withStandIn(readSchema(age), inCloud, { arrivesAtOnce });
}

export interface PlannedResource {
  readonly type: string;
  readonly values: Body;
}

/** https://developer.hashicorp.com/terraform/internals/json-format */
interface Plan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly type: string;
    readonly change: { readonly actions: readonly string[]; readonly after: Body | null };
  }[];
}

interface State {
  readonly values?: { readonly root_module?: ModuleState };
}

interface ModuleState {
  readonly resources?: readonly {
    readonly address: string;
    readonly values: { readonly id?: string };
  }[];
  readonly child_modules?: readonly ModuleState[];
}

function resourcesIn({ resources = [], child_modules: children = [] }: ModuleState): [string, string][] {
  return [
    ...resources.map(({ address, values }): [string, string] => [address, values.id ?? ""]),
    ...children.flatMap(resourcesIn),
  ];
}

/** Warnings about the machine's own settings may stand around it. */
function jsonIn({ output }: Finished): string {
  return output.split("\n").find((each) => each.startsWith("{")) ?? output;
}

/** Terraform breaks lines where it likes, and draws a frame around errors. */
function unframed(output: string): string {
  return output.replaceAll(/[│\s]+/g, " ");
}

export async function inFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "meshjoin-terraform-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
