const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;
/** From this many days on, hours do not matter; from this many years on, days do not. */
const DAYS_ALONE = 10;
const YEARS_ALONE = 2;
const YEAR_SECONDS = 365.25 * 86_400;

/** The two greatest units, rounded down: `3 d 4 h`, `45 d`, `7 years`; empty for less than a second. */
function span(seconds: number): string {
  const years = Math.floor(seconds / YEAR_SECONDS);
  if (years >= YEARS_ALONE) return `${years} years`;
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of first === -1 ? [] : UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    if (unit === "d" && count >= DAYS_ALONE) break;
  }
  return parts.join(" ");
}

/** `in 3 d 4 h`, `12 s ago`, `now`. */
export function relativeTime(time: Date, now: Date): string {
  const milliseconds = time.getTime() - now.getTime();
  const text = span(Math.floor(Math.abs(milliseconds) / 1000));
  if (text === "") return "now";
  return milliseconds > 0 ? `in ${text}` : `${text} ago`;
}

/** `2026-03-08 12:00:00 UTC`. */
export function absoluteTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Undefined if it is no time. */
export function parseTime(rfc3339: string): Date | undefined {
  const time = new Date(rfc3339);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
