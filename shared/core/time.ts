const MINUTES = "2026-03-01T12:00".length;

/** For a note that holds although it tells no time: a person may write it by hand. */
export const UNKNOWN_TIME = new Date(0);

export function isKnownTime(time: string | Date): boolean {
  return new Date(time).getTime() !== UNKNOWN_TIME.getTime();
}

/** Undefined for a text that is no time. */
export function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A time in a table, whose page says that it is UTC: `2026-03-01 12:00`. Takes RFC 3339, too. */
export function cellTime(time: string | Date): string {
  const text = typeof time === "string" ? time : time.toISOString();
  return text.slice(0, MINUTES).replace("T", " ");
}

/** A time in a sentence, as every message has it: `2026-03-01 12:00 UTC`, or `an unknown time`. */
export function sentenceTime(time: string | Date): string {
  return isKnownTime(time) ? `${cellTime(time)} UTC` : "an unknown time";
}

/** `1.5 ms`, `12 ms`: as exact as a measured latency is. */
export function latencyWords(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
