import { type MeshjoinError, UnavailableError } from "../../../shared/errors.ts";
import type { ProjectFacts, Restriction } from "../../../shared/ports/project-facts.ts";

/** Projects in memory, in which everything is in order until it is taken away. */
export interface FakeProjectFacts extends ProjectFacts {
  unbill(project: string): void;
  disable(project: string, api: string): void;
  revoke(project: string, permission: string): void;
  restrict(project: string, constraint: string, restriction: Restriction): void;
  /** From now on every call of this method fails with this. */
  fail(method: keyof ProjectFacts, error: MeshjoinError): void;
}

export function fakeProjectFacts(): FakeProjectFacts {
  const taken = new Set<string>();
  const restrictions = new Map<string, Restriction>();
  const failures = new Map<keyof ProjectFacts, MeshjoinError>();
  const left = (project: string, names: readonly string[]) =>
    new Set(names.filter((name) => !taken.has(`${project}/${name}`)));
  const check = (method: keyof ProjectFacts, signal: AbortSignal | undefined) => {
    const failure = failures.get(method);
    if (failure !== undefined) throw failure;
    if (signal?.aborted === true) {
      throw new UnavailableError("the call was cancelled", { code: "Cancelled" });
    }
  };
  return {
    async isBilled(project, signal) {
      check("isBilled", signal);
      return !taken.has(project);
    },
    async enabledApis(project, apis, signal) {
      check("enabledApis", signal);
      return left(project, apis);
    },
    async grantedPermissions(project, permissions, signal) {
      check("grantedPermissions", signal);
      return left(project, permissions);
    },
    async restriction(project, constraint, signal) {
      check("restriction", signal);
      return restrictions.get(`${project}/${constraint}`);
    },
    restrict: (project, constraint, restriction) =>
      void restrictions.set(`${project}/${constraint}`, restriction),
    unbill: (project) => void taken.add(project),
    disable: (project, api) => void taken.add(`${project}/${api}`),
    revoke: (project, permission) => void taken.add(`${project}/${permission}`),
    fail: (method, error) => void failures.set(method, error),
  };
}
