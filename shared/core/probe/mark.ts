import type { ProbeMark } from "../member/observation.ts";

export function isOver({ until }: Pick<ProbeMark, "until">, now: Date): boolean {
  return until !== undefined && until.getTime() <= now.getTime();
}
