import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { isRecord, type Module, readModule } from "./module.ts";

const ACCOUNTS = ["reconciler", "rotator", "signer"] as const;
type Account = (typeof ACCOUNTS)[number];
type Permissions = Readonly<Record<Account, readonly string[]>>;

export interface Granted {
  /** On each project of members. */
  readonly clusters: Permissions;
  /** On the root secret alone. */
  readonly root: Permissions;
}

/** The permissions in the custom roles, read from the files that grant them. */
export async function granted(): Promise<Granted> {
  const module = await readModule(join(ROOT, "terraform", "modules", "identity"));
  return {
    clusters: permissions(module, "cluster_permissions"),
    root: permissions(module, "root_permissions"),
  };
}

function permissions(module: Module, name: string): Permissions {
  const byAccount = module.locals.get(name)?.value;
  const of = (account: Account) => listed(module, isRecord(byAccount) ? byAccount[account] : undefined);
  return { reconciler: of("reconciler"), rotator: of("rotator"), signer: of("signer") };
}

/** A list that is written out, or named. */
function listed({ locals }: Module, value: unknown): string[] {
  const named =
    typeof value === "string" ? /^\$\{local\.(?<name>\w+)\}$/.exec(value)?.groups?.["name"] : undefined;
  const list = named === undefined ? value : locals.get(named)?.value;
  if (!Array.isArray(list)) throw new Error("a custom role lists no permissions: write them out");
  return list.map(String);
}
