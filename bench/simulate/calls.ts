import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The functions of a child process by name. Arguments and answers cross as JSON. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** A child process and its functions. */
export interface Child<H extends Handlers> {
  readonly pid: number;
  /** Fails with the handler's error, or when the process has ended. */
  call<K extends keyof H & string>(
    name: K,
    argument: Parameters<H[K]>[0],
  ): Promise<Awaited<ReturnType<H[K]>>>;
  stop(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In a child: answers its parent, and ends when the parent does. */
export function answerCalls(handlers: Handlers): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from the other half of this file
    const { id, name, argument } = message as Question;
    const answer = async () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parent's types are those of the handlers
      const handler = handlers[name] as ((argument: unknown) => unknown) | undefined;
      return await handler?.(argument);
    };
    answer().then(
      (value) => process.send?.({ id, value } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: describe(error) } satisfies Answer),
    );
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export interface ChildOptions {
  readonly module: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node's own. */
  readonly flags: readonly string[];
}

export function startChild<H extends Handlers>({ module, env, flags }: ChildOptions): Child<H> {
  const path = fileURLToPath(module);
  const child: ChildProcess = fork(path, [], {
    env,
    execArgv: [...flags],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  let ended: Error | undefined;
  child.on("message", (message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from the other half of this file
    const { id, value, error } = message as Answer;
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.on("exit", (code, signal) => {
    ended = new Error(`${path} ended with ${signal ?? `code ${code}`}; its output is above`);
    for (const answer of waiting.values()) answer.reject(ended);
    waiting.clear();
  });
  return {
    pid: child.pid ?? 0,
    async call(name, argument) {
      if (ended !== undefined) throw ended;
      last += 1;
      const id = last;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer);
      child.send({ id, name, argument } satisfies Question);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON of what the handler answers
      return (await answer.promise) as never;
    },
    async stop() {
      if (ended !== undefined) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
