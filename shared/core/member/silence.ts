import type { Member } from "./observation.ts";

/** What does not answer: the API server, or istiod of a member whose API server does. */
export type SilentPart = "apiServer" | "istiod";

export interface Presence {
  readonly state: "answers" | "silent" | "unknown";
  readonly part?: SilentPart;
}

/**
 * Whether a look had an answer of the member. A refusal and an API server in trouble of its own are answers;
 * a look that was cut short tells nothing.
 */
export function presenceOf({ state }: Member): Presence {
  if (state.reachable) {
    const isAway = state.controlPlane !== undefined && state.pods.length === 0;
    return isAway ? { state: "silent", part: "istiod" } : { state: "answers" };
  }
  if (state.code === "ApiServerUnreachable") return { state: "silent", part: "apiServer" };
  return { state: state.retryable && state.code !== "ApiServerError" ? "unknown" : "answers" };
}

/** The times that the members hold of one thing: it counts once each of them has one, and then the newest. */
export function newestOfAll(times: readonly (Date | undefined)[]): Date | undefined {
  const known = times.filter((time) => time !== undefined);
  if (known.length === 0 || known.length < times.length) return undefined;
  return new Date(Math.max(...known.map((time) => time.getTime())));
}
