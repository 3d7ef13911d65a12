import { renderRows } from "../../shared/table.ts";
import type { Check, Diagnosis } from "../doctor/check.ts";
import type { Paint } from "../paint.ts";
import { blocks, count } from "./words.ts";

/** A line for each check, and below each fault its cure. */
export function renderDiagnosis({ checks }: Diagnosis, paint: Paint): string {
  const faults = checks.filter(({ ok }) => !ok).length;
  return blocks(
    renderRows(checks.flatMap((check) => rows(check, paint))),
    faults === 0 ? paint("green", "All is well.") : paint("red", `${count(faults, "fault")} found.`),
  );
}

function rows({ check, about, ok, message, cure }: Check, paint: Paint): string[][] {
  const text = about === undefined ? message : `${about}: ${message}`;
  const line = [ok ? paint("green", "ok") : paint("red", "FAULT"), check, text];
  return cure === undefined ? [line] : [line, ["", "", `cure: ${cure}`]];
}
