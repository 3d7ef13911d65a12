/** A part of a sentence; a command is to be typed as it stands. */
export interface Span {
  readonly kind: "words" | "command";
  readonly text: string;
}

const PROGRAM = "(?:meshjoin|kubectl|gcloud|istioctl|curl|terraform) ";
/**
 * Findings put a command at the end of a clause, after a colon: `renew it: meshjoin sync; then wait`. Or
 * they quote it. Some sentences quote what a cluster said: of two lines, a terminal would run the first when
 * they are pasted.
 */
const COMMAND = new RegExp(
  `\`(${PROGRAM}[^\`\\n\\r]+)\`|"(${PROGRAM}[^"\\n\\r]+)"|(?<=^|: )(${PROGRAM}.+?)(?=[;,] |\\.?$)`,
  "gm",
);

/** A sentence, cut where a command begins and ends; in its order, without quotes around the commands. */
export function spansOf(sentence: string): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of sentence.matchAll(COMMAND)) {
    const [whole, ...commands] = match;
    if (match.index > end) spans.push({ kind: "words", text: sentence.slice(end, match.index) });
    spans.push({ kind: "command", text: commands.find((each) => each !== undefined) ?? whole });
    end = match.index + whole.length;
  }
  if (end < sentence.length) spans.push({ kind: "words", text: sentence.slice(end) });
  return spans;
}

export function isCommand(text: string): boolean {
  const [first, ...others] = spansOf(text);
  return first?.kind === "command" && others.length === 0;
}
