/** What a terminal has on its screen, and what has scrolled away, after this text. */
export function shownBy(text: string, { rows, columns }: { rows: number; columns: number }) {
  let away: string[] = [];
  let screen = [""];
  let at = 0;
  const nextLine = () => {
    at += 1;
    screen[at] ??= "";
    if (screen.length > rows) away.push(...screen.splice(0, 1));
    at = Math.min(at, rows - 1);
  };
  // oxlint-disable-next-line no-control-regex -- to read them is what it is for
  for (const [part] of text.matchAll(/\u001B\[[0-9;]*[A-Za-z]|\n|[^\u001B\n]+/g)) {
    if (part === "\u001B[H") at = 0;
    else if (part === "\u001B[J" || part === "\u001B[2J") screen = [...screen.slice(0, at), ""];
    else if (part === "\u001B[3J") away = [];
    else if (part === "\n") nextLine();
    else if (!part.startsWith("\u001B")) {
      for (const character of part) {
        if ((screen[at] ?? "").length === columns) nextLine();
        screen[at] += character;
      }
    }
  }
  return { away, screen };
}
