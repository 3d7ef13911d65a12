import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "@jest/globals";
import { type Command, filledIn, programsOf, type Values } from "../../runbook/commands.ts";
import type { Desk } from "./desk.ts";

export interface Expected {
  /** Default 0. */
  readonly code?: number;
  /** What somebody sees of it, on standard output and on standard error. */
  readonly shows?: readonly (string | RegExp)[];
  readonly hides?: readonly string[];
  readonly values?: Values;
}

/** A page of commands at work. */
export interface Page {
  /**
   * Runs the one command of the section that the pattern fits, and fails unless it ends and shows as expected. Answers its standard
   * output; nothing is expected, and nothing answered, where a program of it is not installed.
   */
  readonly expectCommand: (section: string, pattern: RegExp, expected?: Expected) => Promise<string>;
  /** The same with a command that sets variables for those that come later. */
  readonly setVariables: (section: string, pattern: RegExp, values?: Values) => Promise<void>;
  /** Commands that nobody has asked for yet. */
  readonly untried: () => string[];
}

/** `desk` is asked for when the first command runs. */
export function openPage(commands: readonly Command[], desk: () => Desk): Page {
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

/** Programs of these commands that are not on PATH. kubectl is the sandbox's own. */
export function missingPrograms(commands: readonly Command[]): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const needed = new Set(commands.flatMap(programsOf));
  return [...needed].filter(
    (program) => program !== "kubectl" && !folders.some((folder) => existsSync(join(folder, program))),
  );
}
