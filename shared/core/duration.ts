const SECONDS_PER = { d: 86_400, h: 3600, m: 60, s: 1 } as const;
type Unit = keyof typeof SECONDS_PER;

function isUnit(text: string): text is Unit {
  return text in SECONDS_PER;
}

/** `90d`, `24h`, `5m` or `60s` in seconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const groups = /^(?<count>\d{1,9})(?<unit>[dhms])$/.exec(text)?.groups;
  const { count = "", unit = "" } = groups ?? {};
  return isUnit(unit) ? Number(count) * SECONDS_PER[unit] : undefined;
}

const GO_UNITS = { h: 3600, m: 60, s: 1, ms: 0.001, us: 0.000_001, µs: 0.000_001, ns: 0.000_000_001 };

/** Go's longest duration in seconds, 292 years: 2^63 - 1 nanoseconds. */
const GO_MAX = 9_223_372_036.854_776;
const GO_TEXT_MAX = 100;

/** Seconds of a duration in Go's form, `1h30m` or `1.5h`; undefined beyond Go's syntax or range. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > GO_TEXT_MAX) return undefined;
  const parts = [...text.matchAll(/(?<count>\d+(?:\.\d*)?|\.\d+)(?<unit>ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  const seconds = parts.reduce((sum, { groups = {} }) => {
    const unit = Object.entries(GO_UNITS).find(([name]) => name === groups["unit"])?.[1] ?? 0;
    return sum + Number(groups["count"]) * unit;
  }, 0);
  return seconds > GO_MAX ? undefined : seconds;
}

/** The shortest exact form that Go's `time.ParseDuration` reads, which knows no days: `24h`, `90m`, `61s`. */
export function formatGoDuration(seconds: number): string {
  for (const unit of ["h", "m"] as const) {
    if (seconds >= SECONDS_PER[unit] && seconds % SECONDS_PER[unit] === 0)
      return `${seconds / SECONDS_PER[unit]}${unit}`;
  }
  return `${seconds}s`;
}
