/**
 * Between the name of a part of a check and the reason why it cannot be done on this machine, where the check
 * prints it.
 */
export const NOT_RUN = "not run here, because";

/** What a check did not look at, a sentence each. */
export function notRunIn(output: string): string[] {
  return output
    .split("\n")
    .filter((line) => line.includes(NOT_RUN))
    .map((line) => line.trim().replaceAll(/\s+/g, " "));
}
