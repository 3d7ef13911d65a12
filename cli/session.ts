import { untilAborted } from "../shared/async/until-aborted.ts";
import type { MeshSpec } from "../shared/core/spec.ts";
import { InputError, inWords, MeshjoinError } from "../shared/errors.ts";
import type { Operator, OperatorPorts, OperatorRun } from "../shared/operator.ts";
import type { Progress } from "../shared/progress.ts";
import { DEADLINE_MS } from "../shared/runtime.ts";
import { scrub } from "../shared/scrub.ts";
import { type Format, isForPrograms, programText } from "./format.ts";
import type { Host } from "./host.ts";
import { ensureManifest } from "./manifest.ts";
import { describeProgress } from "./render/progress.ts";
import { type Screen, screenFor } from "./screen.ts";
import { visible, withVisibleTexts } from "./visible.ts";

/** One command at work: its access to the mesh, and its output, which is scrubbed of keys and tokens. */
export interface Session {
  readonly host: Host;
  readonly format: Format;
  /** A person wants to know more than the result. */
  readonly verbose: boolean;
  /** A line beside the result, on standard error. */
  readonly say: (line: string) => void;
  /** The same, with the time since the command began. */
  readonly tell: (line: string) => void;
  /** Asks a person. Undefined where none sits at a terminal, or where a program reads the result. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined;
  /** The result, on standard output: as one line of JSON, as YAML, or as `render` writes it. */
  show<T extends object>(result: T, render: (result: T, screen: Screen) => string): void;
  /** Ports alone, for work without a manifest; they are closed in any case. */
  withPorts<T>(use: (access: OperatorAccess) => Promise<T>): Promise<T>;
  /** A run that reports each finished step. It is closed in any case; where the signal aborts, at once. */
  withRun<T>(use: (run: OperatorRun) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** The access of a command without a run. */
export interface OperatorAccess {
  readonly ports: OperatorPorts;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

export function openSession(host: Host, format: Format, verbose: boolean): Session {
  const say = (line: string) => void host.stderr.write(`${visible(scrub(line))}\n`);
  const tell = (line: string) => say(stamped(host.elapsedMs(), line));
  return {
    host,
    format,
    verbose,
    say,
    tell,
    ask: isForPrograms(format) ? undefined : host.confirm,
    show(result, render) {
      const text = isForPrograms(format)
        ? programText(result, format)
        : scrub(render(withVisibleTexts(result), screenFor(host.stdout, host.env, format)));
      host.stdout.write(`${text}\n`);
    },
    async withPorts(use) {
      const operator: Operator = host.operator();
      const ports = await operator.open();
      try {
        const access = { ports, spec: operator.spec, signal: AbortSignal.timeout(DEADLINE_MS) };
        return await speaking(
          () => "waiting for the Google APIs to answer",
          tell,
          () => use(access),
        );
      } finally {
        await ports.fleet.close();
      }
    },
    async withRun(use, signal) {
      const operator: Operator = host.operator();
      await ensureManifest(host.manifest, operator.inSandbox, say);
      let doing = "waiting for the Google APIs and the members to answer";
      const report = (progress: Progress) => {
        const step = describeProgress(progress, verbose);
        if (step === undefined) return;
        doing = `still at work; the last step was: ${step}`;
        tell(step);
      };
      const work = async (run: OperatorRun) =>
        await speaking(
          () => doing,
          tell,
          () => (signal === undefined ? use(run) : untilAborted(use(run), signal)),
        );
      return await operator.withRun(report, work, signal);
    },
  };
}

function stamped(ms: number, text: string): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s  ${text}`;
}

/** Longer than an answer takes that nobody has to be told about. */
const SILENCE_MS = 10_000;

/** Says what is waited for, again and again, until the work is done. */
async function speaking<T>(
  doing: () => string,
  tell: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => tell(doing()), SILENCE_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** An error for a program that reads the result: with `--output json` standard output is one JSON value. */
export interface ErrorResult {
  readonly code: string;
  readonly message: string;
  readonly cure?: string;
  readonly field?: string;
}

export function errorResult(error: unknown): ErrorResult {
  if (!(error instanceof MeshjoinError)) {
    return { code: "Unexpected", message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, cure } = error;
  return {
    code,
    message,
    ...(cure === undefined ? {} : { cure }),
    ...(error instanceof InputError ? { field: error.field } : {}),
  };
}

/** An error for a person. Only an unexpected one shows its stack; `verbose` adds the causes of the others. */
export function errorText(error: unknown, verbose: boolean): string {
  if (error instanceof MeshjoinError) {
    const causes = verbose ? causesOf(error).map((cause) => `\ncaused by: ${cause}`) : [];
    return [`error: ${inWords(error)}`, ...causes].join("");
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: an unexpected error, a fault of Meshjoin; report it with these lines:\n${stack}`;
}

function causesOf({ cause }: Error): string[] {
  return cause instanceof Error ? [`${cause.name}: ${cause.message}`, ...causesOf(cause)] : [];
}
