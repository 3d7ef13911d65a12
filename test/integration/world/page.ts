import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "@jest/globals";
import { type Command, filledIn, programsOf, type Values } from "../../support/runbook/commands.ts";
import { NOBODY } from "./cloud-project.ts";
import type { Desk } from "./desk.ts";

export interface Expected {
  /** Default 0. */
  readonly code?: number;
  /** What a person sees of it, on standard output and on standard error. */
  readonly shows?: readonly (string | RegExp)[];
  readonly hides?: readonly string[];
  readonly values?: Values;
}

/** A page of commands at work. */
export interface Page {
  /**
   * Runs the one command of the section that the pattern fits, and fails unless it ends and shows as
   * expected. Answers its standard output; nothing is expected, and nothing answered, where a program of it
   * is not installed.
   */
  readonly expectCommand: (section: string, pattern: RegExp, expected?: Expected) => Promise<string>;
  /** The same with a command that sets variables for those that come later. */
  readonly setVariables: (section: string, pattern: RegExp, values?: Values) => Promise<void>;
  /**
   * Runs a gcloud command up to its first request, to an API that no stand-in plays here. gcloud takes the
   * command as it stands, and the request is as expected. Where gcloud is not installed nothing is expected.
   */
  readonly expectAsked: (section: string, pattern: RegExp, request: RegExp, values?: Values) => Promise<void>;
  /** Commands that no test has asked for yet. */
  readonly untried: () => string[];
}

/** The first command asks for `desk`. `unserved` holds the requests without an answer so far. */
export function openPage(
  commands: readonly Command[],
  desk: () => Desk,
  unserved: () => string[] = () => [],
): Page {
  const tried = new Set<string>();
  /** Undefined where it cannot be run. */
  const take = (section: string, pattern: RegExp): Command | undefined => {
    const command = oneOf(commands, section, pattern);
    tried.add(command.text);
    return missingPrograms([command]).length > 0 ? undefined : command;
  };
  return {
    async expectCommand(section, pattern, { code = 0, shows = [], hides = [], values = {} } = {}) {
      const command = take(section, pattern);
      if (command === undefined) return "";
      const ended = await desk().run(filledIn(command, values));
      const seen = { command: command.text, ...ended };
      expect(seen).toEqual({ ...seen, code });
      for (const each of shows) expect(`${ended.out}${ended.err}`).toMatch(each);
      for (const each of hides) expect(`${ended.out}${ended.err}`).not.toContain(each);
      return ended.out;
    },
    async setVariables(section, pattern, values = {}) {
      const command = take(section, pattern);
      if (command !== undefined) await desk().set(filledIn(command, values));
    },
    async expectAsked(section, pattern, request, values = {}) {
      const command = take(section, pattern);
      if (command === undefined) return;
      unserved().length = 0;
      const ended = await desk().run(`set -e\n${filledIn(command, values)}`);
      const seen = { command: command.text, ...ended, asked: [...unserved()] };
      expect(seen).toEqual({
        ...seen,
        code: 1,
        err: expect.stringContaining(NOBODY),
        asked: [expect.stringMatching(request)],
      });
    },
    untried: () => commands.map(({ text }) => text).filter((text) => !tried.has(text)),
  };
}

function oneOf(commands: readonly Command[], section: string, pattern: RegExp): Command {
  const found = commands.filter((each) => each.section === section && pattern.test(each.text));
  const [command] = found;
  if (command === undefined || new Set(found.map(({ text }) => text)).size > 1) {
    throw new Error(`${found.length} commands of «${section}» fit ${pattern}: change one of them`);
  }
  return command;
}

/** kubectl is the sandbox's own, and meshjoin is installed by a command of the page. */
const AT_HAND = ["kubectl", "meshjoin"];

/** Programs of these commands that are not on PATH. */
export function missingPrograms(commands: readonly Command[]): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const needed = new Set(commands.flatMap(programsOf));
  return [...needed].filter(
    (program) => !AT_HAND.includes(program) && !folders.some((folder) => existsSync(join(folder, program))),
  );
}
