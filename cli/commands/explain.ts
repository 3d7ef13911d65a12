import { CODES, type CodeEntry, type ErrorCode, isErrorCode } from "../../shared/core/answers/error-codes.ts";
import { REASONS, type ReasonEntry, type Severity } from "../../shared/core/answers/reasons.ts";
import { anchorOfHeading, runbookSection } from "../../shared/core/answers/runbook.ts";
import { InputError } from "../../shared/errors.ts";
import { nearest } from "../../shared/nearest.ts";
import { command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { type Explanation, renderExplanation } from "../render/explanation.ts";

export const explain = command({
  name: "explain",
  description: "explain the reason of a finding or the code of an error: its meaning, severity and cure",
  declare: (bare) => bare.argument("<REASON>", "as status, plan, doctor or an error has it, like MemberLost"),
  examples: ["meshjoin explain MemberLost", "meshjoin explain RootSecretMissing --output json"],
  async run(session, _, reason: string) {
    session.show(explanationOf(reason), renderExplanation);
    return await Promise.resolve(EXIT.done);
  },
});

function explanationOf(text: string): Explanation {
  const all = [...Object.keys(REASONS), ...Object.keys(CODES)];
  const code = all.find((each) => each.toLowerCase() === text.toLowerCase());
  if (code === undefined || !isErrorCode(code)) throw unknownReason(text, all);
  const section = runbookSection(code);
  const { means, cure, severity } = entryOf(code);
  return {
    reason: code,
    ...(severity === undefined ? {} : { severity }),
    means: plain(means),
    cure: plain(cure),
    page:
      severity === undefined
        ? "docs/reference/errors.md"
        : `docs/reference/reasons.md#${anchorOfHeading(code)}`,
    ...(section === undefined ? {} : { runbook: `docs/runbook.md#${anchorOfHeading(section)}` }),
  };
}

type Entry = CodeEntry & { readonly severity?: Severity };

function entryOf(code: ErrorCode): Entry {
  const reasons: Readonly<Record<string, ReasonEntry>> = REASONS;
  const codes: Readonly<Record<string, CodeEntry>> = CODES;
  const entry = reasons[code] ?? codes[code];
  if (entry === undefined) throw new TypeError(`${code} has no entry: add one to REASONS or CODES`);
  return entry;
}

/** The tables are written for a page: marks of code and links are for that. */
function plain(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
}

function unknownReason(text: string, all: readonly string[]): InputError {
  const near = nearest(text, all);
  return new InputError(`there is no reason ${text}`, {
    code: "InvalidInput",
    cure:
      near === undefined
        ? "see docs/reference/reasons.md and errors.md, which list them"
        : `did you mean ${near}?`,
    field: "REASON",
  });
}
