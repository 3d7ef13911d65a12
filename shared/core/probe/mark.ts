import type { ProbeMark } from "../member/observation.ts";
import type { MeshSpec } from "../spec.ts";

export function isOver({ until }: Pick<ProbeMark, "until">, now: Date): boolean {
  return until !== undefined && until.getTime() <= now.getTime();
}

/** What a check wanted until then is over: it may have begun on a machine whose clock is behind. */
export function endOfChecks(now: Date, { clockSkew }: Pick<MeshSpec, "clockSkew">): Date {
  return new Date(now.getTime() - clockSkew * 1000);
}
