import { within } from "../async/within.ts";

/** Below the 60 s after which most HTTP clients give up; what was not looked at by then is unknown. */
const ASKED_MS = 50_000;
/** A function that was asked by another one answers before that one gives up, also where it had to start first. */
const EXAMINED_MS = 40_000;

/** Of a function that examines its own account. */
export function ownDeadline(signal: AbortSignal): AbortSignal {
  return within(signal, EXAMINED_MS);
}

/** Of whoever asks such a function. */
export function withinDeadline(signal: AbortSignal): AbortSignal {
  return within(signal, ASKED_MS);
}
