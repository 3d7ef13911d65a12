import type { RootView } from "../../shared/rotate/root-view.ts";
import { renderTable } from "../../shared/table.ts";
import type { Paint } from "../paint.ts";
import { renderFindings } from "./findings.ts";
import { rotationLines } from "./status.ts";
import { blocks } from "./words.ts";

/** The versions of the root secret, and the stage of a rotation. */
export function renderRootView(view: RootView, paint: Paint): string {
  const { secret, stage, paused, waitingFor, until, versions, findings } = view;
  const pause = paused === null ? [] : [`a person paused it at ${paused}: meshjoin root resume`];
  const rotation = rotationLines({ stage, waitingFor: [...pause, ...waitingFor], until });
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
