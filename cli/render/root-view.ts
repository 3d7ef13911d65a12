import { cellTime } from "../../shared/core/time.ts";
import type { RootVersionView, RootView } from "../../shared/rotate/root-view.ts";
import type { Screen } from "../screen.ts";
import { renderFindings } from "./findings.ts";
import { renderFittedTable } from "./fitted-table.ts";
import { FINGERPRINT_DIGITS } from "./members-table.ts";
import { rotationLines } from "./rotation.ts";
import { blocks } from "./words.ts";

const HEAD = ["VERSION", "ROLE", "STATE", "ORIGIN", "UNTIL", "FINGERPRINT"];

/** The versions of the root secret, and the stage of a rotation. */
export function renderRootView(roots: RootView, { paint, width, isWide }: Screen): string {
  const { secret, stage, since, paused, waitingFor, until, versions, findings } = roots;
  const rotation = rotationLines({ stage, since, paused, waitingFor, until });
  const rows = versions.map((version) => rowOf(version, { paint, width, isWide }));
  return blocks(
    [`Secret ${secret}`, ...(rotation.length === 0 ? ["Root rotation: idle"] : rotation)].join("\n"),
    rows.length === 0 ? "It has no version." : renderFittedTable(HEAD, rows, { width }),
    renderFindings(findings, paint),
  );
}

function rowOf(root: RootVersionView, { paint, isWide }: Screen): string[] {
  const { version, role, enabled, retired, origin, notAfter, fingerprint } = root;
  const isLost = role !== null && !enabled;
  return [
    String(version),
    role ?? (retired ? "retired" : "-"),
    isLost ? paint("red", "disabled") : enabled ? "enabled" : "disabled",
    origin ?? "-",
    notAfter === null ? "-" : cellTime(notAfter),
    fingerprint === null ? "-" : isWide ? fingerprint : fingerprint.slice(0, FINGERPRINT_DIGITS),
  ];
}
