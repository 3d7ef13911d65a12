/** A terminal obeys these, and a message may quote a stranger's text. Tab and line feed are no harm. */
// oxlint-disable-next-line no-control-regex -- to find them is what it is for
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/** A text for a terminal, with a mark in the place of each character that would steer it. */
export function visible(text: string): string {
  return text.replaceAll(CONTROLS, "\uFFFD");
}

/** The same in every text of a result. */
export function withVisibleTexts<T extends object>(result: T): T {
  return JSON.parse(JSON.stringify(result), (_, value: unknown) =>
    typeof value === "string" ? visible(value) : value,
  );
}

/** JSON or YAML with such characters in their escaped form, of those that its writer leaves as they are. */
export function escaped(text: string): string {
  return text.replaceAll(CONTROLS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
