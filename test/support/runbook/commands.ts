/** A command of a page of the documentation, as a person would paste it into a shell. */
export interface Command {
  /** Title of its section; empty before the first. */
  readonly section: string;
  /** One or several lines; inline code has none of the page's own line breaks. */
  readonly text: string;
}

/** What inline code begins with if it is a command, and not a name, a message or a field. */
const PROGRAMS = [
  "curl",
  "gcloud",
  "istioctl",
  "jq",
  "kubectl",
  "meshjoin",
  "node",
  "npm",
  "openssl",
  "pip",
  "terraform",
];
/** Languages of blocks that a shell is not given. */
const NO_SHELLS = ["hcl", "mermaid"];
const FENCED = /^```(?<language>\w*)\n(?<code>.*?)^```$/gms;
const INLINE = /`(?<code>[^`]+)`/g;

/**
 * All commands of a page in Markdown, in their order, those of fenced blocks first in each section. Fails on
 * a fenced block that is marked neither as sh nor as one of `NO_SHELLS`.
 */
export function readCommands(page: string): Command[] {
  return page.split(/^## /m).flatMap((part, index) => {
    const [first = "", ...rest] = part.split("\n");
    const section = index === 0 ? "" : first;
    const text = rest.join("\n");
    const fenced = [...text.matchAll(FENCED)].flatMap(({ groups }) => {
      const { language = "", code = "" } = groups ?? {};
      if (NO_SHELLS.includes(language)) return [];
      if (language !== "sh") throw new Error(`a block of «${section}» is not marked as sh: mark it`);
      return statements(code);
    });
    const inline = [...text.replaceAll(FENCED, "").matchAll(INLINE)]
      .map(({ groups }) => (groups?.["code"] ?? "").replaceAll(/\s+/g, " "))
      .filter((code) => {
        const [program = "", ...words] = code.split(" ");
        return PROGRAMS.includes(program) && words.length > 0;
      });
    return [...fenced, ...inline].map((each) => ({ section, text: each }));
  });
}

/** One for each line, with those that it goes on in: after a backslash or a pipe, inside quotes or a loop. */
function statements(code: string): string[] {
  const found: string[] = [];
  let open = "";
  for (const line of code.split("\n")) {
    if (open === "" && line.startsWith("#")) continue;
    open = open === "" ? line : `${open}\n${line}`;
    if (/[\\|]$/.test(open) || open.split("'").length % 2 === 0 || isInLoop(open)) continue;
    if (open.trim() !== "") found.push(open);
    open = "";
  }
  if (open !== "") throw new Error(`this command has no end: ${open}`);
  return found;
}

function isInLoop(code: string): boolean {
  const count = (pattern: RegExp) => [...code.matchAll(pattern)].length;
  return count(/^\s*for /gm) > count(/^\s*done$/gm);
}

/** The programs that a command starts, in pipes and substitutions too. */
export function programsOf({ text }: Command): string[] {
  const starts = /(?:^|\||\$\(|"\$\(|; do)\s*(?<program>[a-z][\w-]*)(?=\s)/gm;
  const words = [...text.matchAll(starts)].map(({ groups }) => groups?.["program"] ?? "");
  return [...new Set(words)].filter((word) => PROGRAMS.includes(word));
}

/** Values of placeholders: of words in capitals, `CLUSTER`, and of descriptions, `<member>`. */
export type Values = Readonly<Record<string, string>>;

/** Fails on a placeholder that has no value, which a shell would take for something else. */
export function filledIn({ text }: Command, values: Values): string {
  const filled = Object.entries(values).reduce(
    (all, [name, value]) =>
      all.replaceAll(name.startsWith("<") ? name : new RegExp(`(?<![$\\w])${name}(?!\\w)`, "g"), value),
    text,
  );
  const left = /<[a-z][^>]*>|(?<![$\w]|for )[A-Z]{3,}(?![\w=])/.exec(filled.replaceAll(/'[^']*'/g, "''"));
  if (left !== null) throw new Error(`${left[0]} has no value in: ${text}`);
  return filled;
}
