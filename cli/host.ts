import type { Operator } from "../shared/operator.ts";
import type { ManifestFile } from "./manifest.ts";
import type { ConfigFile, Environment } from "./settings.ts";

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** The width of a terminal. */
  readonly columns?: number;
  /** Its height. */
  readonly rows?: number;
}

/** The world around one command; only `main.ts` has the real one. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Asks the person at the terminal; absent without a terminal. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Of the variables in `env`, or of the host's own. Fails with ConfigError. */
  operator(env?: Environment): Operator;
  /** The configuration file of the command line. */
  configFile(): Promise<ConfigFile>;
  /** The caller's, for the audience; cached. RefusedError `NoCredentials` or `NoIdentityToken`. */
  identityToken(audience: string): Promise<string>;
  /** Resolves when the command is told to end (SIGINT, SIGTERM). */
  stopped(): Promise<void>;
  /** Work goes on that the command waits for no more: the process ends without it. */
  abandon(): void;
  /** A file as bytes; `-` is standard input. Fails with InputError. */
  readFile(name: string): Promise<Buffer>;
  readonly manifest: ManifestFile;
  /** Resolves after this time. */
  sleep(ms: number): Promise<void>;
  /** Since the command began. */
  elapsedMs(): number;
}
