import type { Host } from "../../../cli/host.ts";
import type { ManifestFile, Renderer } from "../../../cli/manifest.ts";
import { meshjoin } from "../../../cli/meshjoin.ts";
import { gkeSources } from "../../../shared/adapters/cluster-sources.ts";
import { loadConfig } from "../../../shared/config.ts";
import { InputError, RefusedError } from "../../../shared/errors.ts";
import type { OperatorPorts } from "../../../shared/operator.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import type { CallerIdentity } from "../../../shared/ports/caller-identity.ts";
import type { ProjectFacts } from "../../../shared/ports/project-facts.ts";
import type { Quotas } from "../../../shared/ports/quotas.ts";
import { fakeClusterLabels } from "../../support/fakes/cluster-labels.ts";
import type { FakeMesh } from "../../support/fakes/mesh.ts";
import { fakeProjectFacts } from "../../support/fakes/project-facts.ts";
import { fakeQuotas } from "../../support/fakes/quotas.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";

export interface Terminal {
  /** Standard output is a terminal. */
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** The answer of the person at the terminal; left out if no person sits there. */
  readonly answer?: boolean;
  /** What happens while the person thinks. */
  readonly whileAsked?: () => void | Promise<void>;
  readonly manifest?: Renderer | "missing";
  /** Of the first run of the command; long enough for everything unless it says otherwise. */
  readonly signal?: AbortSignal;
  /** Whose the credentials are, or why there are none. */
  readonly email?: string | Error;
  /** GKE refuses this person every change of a label. */
  readonly mayNotLabel?: boolean;
  /** Of the projects, before anything is deployed. */
  readonly facts?: ProjectFacts;
  readonly quotas?: Quotas;
  /** What the configuration file of the command line holds. */
  readonly configFile?: string | Error;
  /** By name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether the credentials still give an identity token; asked with every request. */
  readonly isSignedIn?: () => boolean;
  /** What happens while the command sleeps; in total so long. */
  readonly whileAsleep?: (sleptMs: number) => Promise<void>;
  /** The width of the terminal. */
  readonly columns?: number;
  readonly rows?: number;
  /** What happens while the command `open` serves; it has written `out`. */
  readonly whileOpen?: (out: string) => Promise<void>;
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly questions: readonly string[];
  /** The process ends though work goes on. */
  readonly abandons: boolean;
  /** How often the manifest was built. */
  readonly builds: number;
}

/** One call of the command, on a mesh in memory. */
export async function call(mesh: FakeMesh, args: string, terminal: Terminal = {}): Promise<Ended> {
  const {
    isTTY = false,
    env = {},
    answer,
    signal,
    manifest = "release",
    email = "ada@example.com",
  } = terminal;
  const questions: string[] = [];
  const written = { out: "", err: "" };
  let renderer = manifest === "missing" ? undefined : manifest;
  let builds = 0;
  let abandons = false;
  let sleptMs = 0;
  let runs = 0;
  const file: ManifestFile = {
    buildsRelease: false,
    renderer: async () => renderer,
    async build() {
      builds += 1;
      renderer = "snapshot";
    },
  };
  const host: Host = {
    env,
    stdout: {
      isTTY,
      ...(terminal.columns === undefined ? {} : { columns: terminal.columns }),
      ...(terminal.rows === undefined ? {} : { rows: terminal.rows }),
      write: (text) => void (written.out += text),
    },
    stderr: { isTTY, write: (text) => void (written.err += text) },
    ...(answer === undefined
      ? {}
      : {
          confirm: async (question: string) => {
            questions.push(question);
            await terminal.whileAsked?.();
            return answer;
          },
        }),
    async configFile() {
      const { configFile: text } = terminal;
      if (text instanceof Error) throw text;
      return await Promise.resolve({ path: "/home/ada/.config/meshjoin/config.yaml", text });
    },
    operator(given = env) {
      const isConfigured = Object.keys(given).some((name) => name.startsWith("MESHJOIN_"));
      const signerUrl = isConfigured ? loadConfig(given).signerUrl : undefined;
      const open = async () => ({
        ...portsOf(mesh, email),
        ...(terminal.mayNotLabel === true ? REFUSED : {}),
      });
      return {
        spec: mesh.spec,
        signerUrl,
        inSandbox: manifest !== "release",
        open,
        openPreflight: async () => ({
          caller: callerOf(email),
          sources: gkeSources(mesh.directory),
          facts: terminal.facts ?? fakeProjectFacts(),
          quotas: terminal.quotas ?? fakeQuotas(),
          fleet: mesh.run().ports.fleet,
          template: async () => MANIFEST_TEMPLATE,
        }),
        async withRun(report, use, ending) {
          runs += 1;
          const limit = runs > 1 ? ending : (signal ?? ending);
          const process = { report, ...(limit === undefined ? {} : { signal: limit }) };
          return await use({ ...mesh.run(process), ports: await open() });
        },
      };
    },
    async identityToken(audience) {
      if (terminal.isSignedIn?.() ?? true) return `of-the-caller-for-${audience}`;
      throw new RefusedError("the credentials give no identity token; sign in", { code: "NoIdentityToken" });
    },
    async readFile(name) {
      const found = terminal.files?.[name];
      if (found !== undefined) return Buffer.from(found);
      throw new InputError(`${name} cannot be read; give another`, { code: "InvalidInput", field: "FILE" });
    },
    stopped: async () => await terminal.whileOpen?.(written.out),
    abandon: () => {
      abandons = true;
    },
    manifest: file,
    async sleep(ms) {
      sleptMs += ms;
      mesh.clock.advance(ms / 1000);
      await terminal.whileAsleep?.(sleptMs);
    },
    elapsedMs: () => 1234 + sleptMs,
  };
  const code = await meshjoin(args.split(" ").filter(Boolean), host);
  return { code, ...written, questions, abandons, builds };
}

const REFUSED: Pick<OperatorPorts, "labels"> = {
  labels: {
    set: () =>
      Promise.reject(
        new RefusedError("permission container.clusters.update is missing", {
          code: "PermissionDenied",
          cure: "grant a role that has it",
        }),
      ),
  },
};

function portsOf(mesh: FakeMesh, caller: string | Error): OperatorPorts {
  const { ports } = mesh.run();
  return {
    ...ports,
    labels: fakeClusterLabels(mesh.directory),
    caller: callerOf(caller),
    firewalls: mesh.firewalls,
    keys: keysInPayloads,
  };
}

function callerOf(caller: string | Error): CallerIdentity {
  return { email: () => (caller instanceof Error ? Promise.reject(caller) : Promise.resolve(caller)) };
}
