import type { Check, CheckState, Diagnosis } from "../../shared/core/answers/check.ts";
import { count } from "../../shared/core/count.ts";
import { renderRows } from "../../shared/table.ts";
import type { Paint } from "../paint.ts";
import type { Screen } from "../screen.ts";
import { renderContexts } from "./contexts.ts";
import { blocks } from "./words.ts";

/** A line for each check, and below it the cure if it is not well. Checks of functions name their account. */
export function renderDiagnosis({ checks }: Diagnosis, { paint }: Screen): string {
  return blocks(
    renderRows(checks.flatMap((check) => rows(check, paint))),
    verdict(checks, paint),
    renderContexts(checks.map(({ cure = "" }) => cure)),
  );
}

function verdict(checks: readonly Check[], paint: Paint): string {
  const faults = checks.filter(({ state }) => state === "fault").length;
  const unknowns = checks.filter(({ state }) => state === "unknown").length;
  const unseen = unknowns === 0 ? "" : `${count(unknowns, "thing")} not known.`;
  if (faults > 0) return paint("red", [`${count(faults, "fault")} found.`, unseen].join(" ").trim());
  return unknowns > 0 ? paint("yellow", `No fault found; ${unseen}`) : paint("green", "All is well.");
}

function rows(check: Check, paint: Paint): string[][] {
  const { name, state, clusterId, account, message, cure } = check;
  const subject = account === "caller" ? [clusterId] : [account, clusterId];
  const text = [...subject.filter((part) => part !== undefined), message].join(": ");
  const line = [word(state, paint), name, text];
  return cure === undefined ? [line] : [line, ["", "", `cure: ${cure}`]];
}

function word(state: CheckState, paint: Paint): string {
  switch (state) {
    case "ok":
      return paint("green", "ok");
    case "fault":
      return paint("red", "FAULT");
    case "unknown":
      return paint("yellow", "not known");
  }
}
