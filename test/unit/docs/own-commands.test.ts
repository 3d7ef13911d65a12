import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parseSync, Visitor } from "oxc-parser";
import { parseArguments } from "../../../cli/parse.ts";
import { ROOT } from "../../../scripts/paths.ts";
import { CODES } from "../../../shared/core/answers/error-codes.ts";
import { REASONS } from "../../../shared/core/answers/reasons.ts";

/** A text that is all one line where it is code. */
const CODE = /`(?<inline>[^`]+)`/g;
const LINE = /^(?:\$ )?(?:MESHJOIN_\S+ )*(?:npx )?meshjoin (?<words>.*)$/gm;
const MENTION = /^(?:MESHJOIN_\S+ )*(?:npx )?meshjoin (?<words>\S.*)$/;
/** Where the command ends and a comment, another command, or a word for «and so on» begins. */
const REST = /(?: (?:#|\||&&|;|<|>|…|\.\.\.)|, |[)]).*$/;

/** What follows `meshjoin` in each command of a page, in blocks and in the text. */
function commandsOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, code = ""]) => code).join("\n");
  const lines = [...blocks.matchAll(LINE)].map(({ groups }) => groups?.["words"] ?? "");
  const inline = [...page.replaceAll(/^```.*?^```$/gms, "").matchAll(CODE)].flatMap(({ groups }) => {
    const words = MENTION.exec((groups?.["inline"] ?? "").replaceAll(/\s+/g, " "))?.groups?.["words"];
    return words === undefined ? [] : [words];
  });
  return [...lines, ...inline].map((words) =>
    ` ${words}`
      .replace(/"\$\(.*/, "x")
      .replace(REST, "")
      .trim(),
  );
}

/** What a cure of the code has after a colon; an inserted value counts as one word. */
function curesIn(source: string, path: string): string[] {
  const texts: string[] = [];
  const take = ({ start, end }: { start: number; end: number }) =>
    void texts.push(source.slice(start + 1, end - 1));
  new Visitor({ Literal: take, TemplateLiteral: take }).visit(parseSync(path, source).program);
  return texts
    .map((text) => text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "x"))
    .flatMap((text) => [...text.matchAll(/(?:^|: )meshjoin ([^;,:"()]+)/g)])
    .map(([, words = ""]) => words.trim());
}

/** Why the command line would not take it; a sentence may leave out what a command needs. */
function faultOf(words: string): string | undefined {
  const args = words.replaceAll(/"[^"]*"|'[^']*'|<[^>]*>/g, "x").split(" ");
  const said: string[] = [];
  const nowhere = { write: () => undefined };
  parseArguments(args, { stdout: nowhere, stderr: { write: (text) => void said.push(text) } });
  const fault = said.find((text) => text.startsWith("error:"));
  return fault && `${words}: ${fault.trim()}`;
}

/** Of commands that stand in a sentence, which may leave out what a command needs. */
function mentioned(commands: readonly string[]): string[] {
  return [...new Set(commands)]
    .filter((words) => !/^[A-Z]/.test(words))
    .map((words) => words.replace(/--confirm REASON\b/, "--confirm MassLeave"))
    .flatMap((words) => faultOf(words) ?? [])
    .filter((fault) => !fault.includes("missing"));
}

/** They are about no cluster in particular. */
const GENERAL = ["shared/core/answers/reasons.ts", "shared/core/answers/error-codes.ts"];

describe("a command of Meshjoin's own", () => {
  it("that a page names is one that the command line takes", async () => {
    const paths = await Array.fromAsync(glob(["*.md", "{docs,terraform}/**/*.md"], { cwd: ROOT }));
    const pages = paths.filter((path) => path !== "CHANGELOG.md");
    const texts = await Promise.all(pages.map((path) => readFile(join(ROOT, path), "utf8")));
    const commands = texts.flatMap(commandsOf);
    expect(commands.length).toBeGreaterThan(150);
    expect(mentioned(commands)).toEqual([]);
  });

  it("that a reason or a code of an error names is one that the command line takes", () => {
    const commands = Object.values({ ...REASONS, ...CODES }).flatMap(({ cure }) => commandsOf(cure));
    expect(commands.length).toBeGreaterThan(40);
    expect(mentioned(commands)).toEqual([]);
  });

  it("that a cure has is one that the command line takes as it stands, with its cluster", async () => {
    const paths = await Array.fromAsync(glob("{shared,cli/doctor,functions}/**/*.ts", { cwd: ROOT }));
    const cures = await Promise.all(
      paths
        .filter((path) => !GENERAL.includes(path))
        .map(async (path) => curesIn(await readFile(join(ROOT, path), "utf8"), path)),
    );
    const commands = cures.flat();
    expect(commands.length).toBeGreaterThan(30);
    // The last inserted value may be an option.
    const faults = [...new Set(commands)].filter((each) => faultOf(each.replace(/ x$/, "")) !== undefined);
    expect(faults.flatMap((each) => faultOf(each) ?? [])).toEqual([]);
  });

  it.each([
    ["drian CLUSTER", "unknown command"],
    ["sync --confirm MassLeaf", "Allowed choices"],
    ["status --wiat", "unknown option"],
    ["leave a b", "too many arguments"],
    ["leave", "missing required argument"],
  ])("that is none is found: %s", (words, fault) => {
    expect(faultOf(words)).toContain(fault);
  });
});
