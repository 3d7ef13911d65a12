import { within } from "../async/within.ts";

/** Below the 60 s after which most HTTP clients give up. A check that is not made by then is unknown. */
const ASKED_MS = 50_000;
/** A function that another one asks answers before that one gives up, even after a cold start. */
const EXAMINED_MS = 40_000;

/** Of a function that examines its own account. */
export function ownDeadline(signal: AbortSignal): AbortSignal {
  return within(signal, EXAMINED_MS);
}

/** Of a process that asks such a function. */
export function withinDeadline(signal: AbortSignal): AbortSignal {
  return within(signal, ASKED_MS);
}
