import type { RootView } from "../../shared/rotate/root-view.ts";
import { renderTable } from "../../shared/table.ts";
import type { Screen } from "../screen.ts";
import { renderFindings } from "./findings.ts";
import { rotationLines } from "./rotation.ts";
import { blocks } from "./words.ts";

/** The versions of the root secret, and the stage of a rotation. */
export function renderRootView(roots: RootView, { paint }: Screen): string {
  const { secret, stage, since, paused, waitingFor, until, versions, findings } = roots;
  const pause = paused === null ? [] : [`a person paused it at ${paused}: meshjoin root resume`];
  const rotation = rotationLines({ stage, since, waitingFor: [...pause, ...waitingFor], until });
  const rows = versions.map(({ version, role, enabled, retired }) => [
    String(version),
    role ?? (retired ? "retired" : "-"),
    enabled ? "enabled" : "disabled",
  ]);
  return blocks(
    [`Secret ${secret}`, ...(rotation.length === 0 ? ["Root rotation: idle"] : rotation)].join("\n"),
    rows.length === 0 ? "It has no version." : renderTable(["VERSION", "ROLE", "STATE"], rows),
    renderFindings(findings, paint),
  );
}
