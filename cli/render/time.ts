const MINUTES = "2026-03-01T12:00".length;

/** A time in a table, whose page says that it is UTC: `2026-03-01 12:00`. */
export function cellTime(time: string): string {
  return time.slice(0, MINUTES).replace("T", " ");
}

/** A time in a sentence: `2026-03-01 12:00 UTC`. */
export function sentenceTime(time: string): string {
  return `${cellTime(time)} UTC`;
}
