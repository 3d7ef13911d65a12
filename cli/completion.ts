import type { Command, Option } from "commander";
import { CODES } from "../shared/core/answers/error-codes.ts";
import { REASONS } from "../shared/core/answers/reasons.ts";
import { GATEWAY_LABELS } from "../shared/core/network/gateway.ts";
import { NAMED_GOALS } from "./goal.ts";

/** What the completion scripts call, with the words after `meshjoin` up to the one that is being typed. */
export const COMPLETE = "__complete";

/** A word of its own between an option and its value, as bash splits them. */
const ASSIGNS = "=";

/** Words of an option whose value may be another one, too, or is checked by its command. */
const OF_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "--gateway": GATEWAY_LABELS,
  "--wait": [...NAMED_GOALS.keys()],
};

/** Words of an argument that its command checks. */
const OF_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  explain: Object.keys({ ...REASONS, ...CODES }),
};

/** The words that may stand in the place of the last one. */
export function candidates(program: Command, words: readonly string[]): string[] {
  const { command, path, open } = walk(program, words.slice(0, -1));
  const last = words.at(-1) ?? "";
  const current = open !== undefined && last === ASSIGNS ? "" : last;
  const options = [program, ...path].flatMap((each) => each.options);
  const [, assigned] = /^(--[\w-]+)=/.exec(current) ?? [];
  const all =
    open !== undefined && !current.startsWith("-")
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
    if (open !== undefined && !word.startsWith("-")) {
      if (!open.variadic) open = undefined;
      continue;
    }
    open = [program, ...path]
      .flatMap((each) => each.options)
      .find((each) => (each.required || each.optional) && [each.long, each.short].includes(word));
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) continue;
    command = next;
    path.push(next);
  }
  return { command, path, open };
}

function choicesOf(option: Option | undefined): readonly string[] {
  return option?.argChoices ?? OF_OPTIONS[option?.long ?? ""] ?? [];
}

function wordsOf(command: Command): string[] {
  return [
    ...command.commands.map((each) => each.name()),
    ...(command.parent === null ? ["help"] : (OF_COMMANDS[command.name()] ?? [])),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  ];
}
