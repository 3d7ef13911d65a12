/**
 * The expressions in a string of hcl2json, each as `${…}`. The text between them is of no use any more: its quotes have lost
 * their backslashes. Braces and quotes inside an expression are as they were written.
 */
export function interpolations(text: string): string[] {
  const found: string[] = [];
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", start)) {
    const end = endOf(text, start + 2);
    if (text[start - 1] !== "$") found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

/** Behind the brace that closes what was opened before `from`. */
function endOf(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at + 1) - 1;
    else if (character === "{") depth += 1;
    else if (character === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** Behind the quote that closes a string; an expression inside it may hold quotes of its own. */
function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text.startsWith("${", at)) at = endOf(text, at + 2) - 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
