/** At most `length` characters, with an ellipsis for the rest: in drawings a text cannot wrap. */
export function clipped(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
