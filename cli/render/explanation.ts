import type { Severity } from "../../shared/core/answers/reasons.ts";
import type { Screen } from "../screen.ts";

/** The result of `explain`. */
export interface Explanation {
  readonly reason: string;
  /** Undefined for the code of an error. */
  readonly severity?: Severity;
  readonly means: string;
  readonly cure: string;
  /** Where it stands in the documentation. */
  readonly page: string;
  readonly runbook?: string;
}

export function renderExplanation(explanation: Explanation, { paint }: Screen): string {
  const { reason, severity, means, cure, page, runbook } = explanation;
  return [
    `${paint("bold", reason)}  ${severity ?? "code of an error"}`,
    "",
    means,
    "",
    `cure: ${cure}`,
    `page: ${page}`,
    ...(runbook === undefined ? [] : [`runbook: ${runbook}`]),
  ].join("\n");
}
