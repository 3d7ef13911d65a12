import type { Accounts } from "../identity/accounts.ts";
import { FUNCTION_ROLES, type FunctionRole, type Granted } from "./granted.ts";

/** One permission that one function was asked for, in one scenario. */
export interface Asked {
  readonly role: FunctionRole;
  /** Or what there is no permission for, in the API's own words. */
  readonly permission: string;
  readonly allowed: boolean;
  /** Whether it was refused for no other reason than `withhold`. */
  readonly withheld: boolean;
  readonly scenario: string;
}

/** Who may do what: the functions what Terraform grants, the developer all, any other caller nothing. */
export interface Iam {
  readonly allows: (caller: string, permission: string) => boolean;
  /** The same, for a caller who only asks: that is no use of the permission. */
  readonly wouldAllow: (caller: string, permission: string) => boolean;
  roleOf(caller: string): FunctionRole | undefined;
  /** What was asked for so far, each once per scenario. */
  readonly asked: readonly Asked[];
  /** From now on everything belongs to this scenario. */
  enter(scenario: string): void;
  /** As if Terraform did not grant it; answers how to give it back. */
  withhold(role: FunctionRole, permission: string): () => void;
}

export interface IamOptions {
  readonly accounts: Accounts;
  readonly granted: Granted;
  /** Where no signer runs, a function that reconciles signs by itself and has to read payloads too. */
  readonly signerRuns: () => boolean;
}

const READ_PAYLOAD = "secretmanager.versions.access";

export function createIam({ accounts, granted, signerRuns }: IamOptions): Iam {
  const asked = new Map<string, Asked>();
  const withheld = new Set<string>();
  let scenario = "";

  const roleOf = (caller: string) => FUNCTION_ROLES.find((role) => accounts[role] === caller);
  const isGranted = (role: FunctionRole, permission: string): boolean =>
    granted[role].includes(permission) || (permission === READ_PAYLOAD && !signerRuns());
  const isWithheldFrom = (role: FunctionRole, permission: string) =>
    isGranted(role, permission) && withheld.has(`${role} ${permission}`);
  const wouldAllow = (caller: string, permission: string): boolean => {
    const role = roleOf(caller);
    if (role === undefined) return caller === accounts.developer;
    return isGranted(role, permission) && !isWithheldFrom(role, permission);
  };
  return {
    roleOf,
    wouldAllow,
    allows(caller, permission) {
      const allowed = wouldAllow(caller, permission);
      const role = roleOf(caller);
      if (role === undefined) return allowed;
      const isWithheld = isWithheldFrom(role, permission);
      asked.set(JSON.stringify([role, permission, allowed, isWithheld, scenario]), {
        role,
        permission,
        allowed,
        withheld: isWithheld,
        scenario,
      });
      return allowed;
    },
    get asked() {
      return [...asked.values()];
    },
    enter(name) {
      scenario = name;
    },
    withhold(role, permission) {
      withheld.add(`${role} ${permission}`);
      return () => withheld.delete(`${role} ${permission}`);
    },
  };
}
