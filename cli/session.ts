import type { MeshSpec } from "../shared/core/spec.ts";
import { inWords, MeshjoinError } from "../shared/errors.ts";
import type { Operator, OperatorPorts, OperatorRun } from "../shared/operator.ts";
import { DEADLINE_MS } from "../shared/runtime.ts";
import { scrub } from "../shared/scrub.ts";
import type { Format } from "./format.ts";
import type { Host } from "./host.ts";
import { ensureManifest } from "./manifest.ts";
import { type Paint, paintFor } from "./paint.ts";
import { describeProgress } from "./render/progress.ts";

/** One command at work: how it gets at the mesh, and how it speaks. Nothing leaves it that looks like a key or a token. */
export interface Session {
  readonly host: Host;
  readonly format: Format;
  /** A line beside the result, on standard error. */
  readonly say: (line: string) => void;
  /** The result, on standard output: itself as one line of JSON, or what `render` makes of it. */
  show<T extends object>(result: T, render: (result: T, paint: Paint) => string): void;
  /** Ports alone, for what needs no manifest; they are closed whatever becomes of it. */
  withPorts<T>(use: (given: OperatorAccess) => Promise<T>): Promise<T>;
  /** A run whose steps are said as they are finished; it is closed whatever becomes of it. */
  withRun<T>(use: (run: OperatorRun) => Promise<T>): Promise<T>;
}

/** What a command may do without a run. */
export interface OperatorAccess {
  readonly ports: OperatorPorts;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

export function openSession(host: Host, format: Format): Session {
  const say = (line: string) => void host.stderr.write(`${scrub(line)}\n`);
  return {
    host,
    format,
    say,
    show(result, render) {
      const text =
        format === "json" ? JSON.stringify(result) : render(result, paintFor(host.stdout, host.env));
      host.stdout.write(`${scrub(text)}\n`);
    },
    async withPorts(use) {
      const operator: Operator = host.operator();
      const ports = await operator.open();
      try {
        return await use({ ports, spec: operator.spec, signal: AbortSignal.timeout(DEADLINE_MS) });
      } finally {
        await ports.fleet.close();
      }
    },
    async withRun(use) {
      const operator: Operator = host.operator();
      await ensureManifest(host.manifest, operator.inSandbox, say);
      return await operator.withRun((progress) => {
        const step = describeProgress(progress);
        if (step !== undefined) say(stamped(host.elapsedMs(), step));
      }, use);
    },
  };
}

function stamped(ms: number, text: string): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s  ${text}`;
}

/** What a person is told of an error. Only one that is not ours has a stack to show. */
export function errorText(error: unknown): string {
  if (error instanceof MeshjoinError) return `error: ${inWords(error)}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: this was not expected, and is a fault of meshjoin; report it with these lines:\n${stack}`;
}
