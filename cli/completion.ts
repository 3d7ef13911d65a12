import type { Command, Option } from "commander";

/** What the completion scripts call, with the words after `meshjoin` up to the one that is being typed. */
export const COMPLETE = "__complete";

/** A word of its own between an option and its value, as bash splits them. */
const ASSIGNS = "=";

/** The words that may stand in the place of the last one. */
export function candidates(program: Command, words: readonly string[]): string[] {
  const { command, path, open } = walk(program, words.slice(0, -1));
  const last = words.at(-1) ?? "";
  const current = open !== undefined && last === ASSIGNS ? "" : last;
  const options = [program, ...path].flatMap((each) => each.options);
  const [, assigned] = /^(--[\w-]+)=/.exec(current) ?? [];
  const all =
    open !== undefined
      ? choicesOf(open)
      : assigned !== undefined
        ? choicesOf(options.find(({ long }) => long === assigned)).map((choice) => `${assigned}=${choice}`)
        : current.startsWith("-")
          ? [...options.flatMap(({ long }) => long ?? []), "--help"]
          : wordsOf(command);
  return [...new Set(all)].filter((word) => word.startsWith(current)).toSorted();
}

interface Place {
  readonly command: Command;
  /** The group and the command so far. */
  readonly path: readonly Command[];
  /** The option whose value comes next. */
  readonly open: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let open: Option | undefined;
  const path: Command[] = [];
  for (const word of words) {
    if (open !== undefined && word === ASSIGNS) continue;
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    open = [program, ...path]
      .flatMap((each) => each.options)
      .find((each) => each.required && [each.long, each.short].includes(word));
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) continue;
    command = next;
    path.push(next);
  }
  return { command, path, open };
}

function choicesOf(option: Option | undefined): readonly string[] {
  return option?.argChoices ?? [];
}

function wordsOf(command: Command): string[] {
  return [
    ...command.commands.map((each) => each.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  ];
}
