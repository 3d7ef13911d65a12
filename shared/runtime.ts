import { readFile } from "node:fs/promises";
import type { ExaminerOptions } from "./adapters/examiner.ts";
import { lazily } from "./async/lazily.ts";
import { type Config, loadConfig } from "./config.ts";
import type { MeshSpec } from "./core/spec.ts";
import { type ManifestTemplate, parseTemplate } from "./istio/template.ts";
import { createLogger, type Logger } from "./log.ts";
import type { Clock } from "./ports/clock.ts";
import type { ClusterSources } from "./ports/cluster-sources.ts";
import type { Examiner } from "./ports/examiner.ts";
import type { Fleet } from "./ports/fleet.ts";
import type { Ports, RotatorPorts } from "./ports/ports.ts";
import type { RootAuthority } from "./ports/root-authority.ts";
import type { RootKeys } from "./ports/root-keys.ts";
import type { RootStore } from "./ports/root-store.ts";
import type { Reporter } from "./progress.ts";
import type { RotatorRun } from "./rotate/change-roots.ts";
import { createRun, type Run } from "./run.ts";

/** The wiring of one process, made once, for its triggers. */
export interface Runtime<R extends Run = Run> {
  readonly spec: MeshSpec;
  /** The URL of the signer, which reads the root's payloads in this process's place, if there is one. */
  readonly signerUrl?: string;
  readonly log: Logger;
  /** Makes a run with its own connections to API servers, and closes them after `use`. */
  withRun<T>(progress: Reporter, use: (run: R) => Promise<T>): Promise<T>;
}

/**
 * Below the 540 s that Google allows an event function, so that a run ends by itself and its event comes
 * again. Otherwise it would go on in an instance that Google has given up.
 */
export const DEADLINE_MS = 500_000;

/**
 * The composition root: the only place that knows adapters. It loads clients when first needed and keeps them
 * for the life of the process; connections to API servers live as long as a run. Fails with ConfigError.
 * `manifest`: the `istio/manifest.json` that the build has rendered.
 */
export function createRuntime(env: NodeJS.ProcessEnv, manifest: URL): Runtime {
  const config = loadConfig(env);
  return runtimeOf(config, manifest, async () => {
    const [makePorts, examiners] = await Promise.all([wire(config), wireExaminers(config)]);
    return () => ({ ...makePorts(), examiners });
  });
}

/** The runtime of the rotator, the only function that may change the root secret. */
export function createRotatorRuntime(env: NodeJS.ProcessEnv, manifest: URL): Runtime<RotatorRun> {
  const config = loadConfig(env);
  return runtimeOf(config, manifest, () => wireRotator(config));
}

function runtimeOf<P extends Ports>(
  config: Config,
  manifest: URL,
  wireUp: () => Promise<() => P>,
): Runtime<Run<P>> {
  const wiring = lazily(wireUp);
  const template = lazily(() => readTemplate(manifest));
  return {
    spec: config.spec,
    ...(config.signerUrl === undefined ? {} : { signerUrl: config.signerUrl }),
    log: createLogger().child({ meshId: config.spec.meshId }),
    async withRun(progress, use) {
      const [makePorts, rendered] = await Promise.all([wiring(), template()]);
      const { spec } = config;
      const signal = AbortSignal.timeout(DEADLINE_MS);
      return await closing(
        createRun({ ports: makePorts(), spec, heedsPause: true, template: rendered, progress, signal }),
        use,
      );
    },
  };
}

/** Closes the run's connections after `use`, even if that throws. */
export async function closing<R extends Run, T>(run: R, use: (run: R) => Promise<T>): Promise<T> {
  try {
    return await use(run);
  } finally {
    await run.ports.fleet.close();
  }
}

export async function readTemplate(manifest: URL): Promise<ManifestTemplate> {
  return parseTemplate(await readFile(manifest, "utf8"));
}

/** The wiring of the signer. Unlike a run it has no connection to any cluster. */
export interface SignerRuntime {
  readonly spec: MeshSpec;
  readonly log: Logger;
  ports(): Promise<Pick<Ports, "authority" | "clock" | "roots" | "sources">>;
}

/**
 * The composition root of the signer. It ignores `MESHJOIN_SIGNER_URL` and reads the root secret itself.
 * Fails with ConfigError.
 */
export function createSignerRuntime(env: NodeJS.ProcessEnv): SignerRuntime {
  const { signerUrl: _, ...config } = loadConfig(env);
  return {
    spec: config.spec,
    log: createLogger().child({ meshId: config.spec.meshId }),
    ports: lazily(async () => {
      const google = await wireGoogle(config);
      return { ...google, authority: await wireAuthority(config, google) };
    }),
  };
}

/** Answers a maker of one run's ports: its own connections, and clients that all runs share. */
async function wire(config: Config): Promise<() => Ports> {
  const [google, { googleAccessToken }, { gkeOperations }] = await Promise.all([
    wireGoogle(config),
    import("./adapters/google-auth.ts"),
    import("./adapters/cluster-operations.ts"),
  ]);
  const { containerEndpoint: endpoint } = config;
  const operations = gkeOperations(endpoint === undefined ? {} : { endpoint });
  const [authority, makeFleet] = await Promise.all([
    wireAuthority(config, google),
    wireFleet(config, googleAccessToken()),
  ]);
  return () => ({
    clock: google.clock,
    sources: google.sources,
    operations,
    roots: google.roots,
    authority,
    fleet: makeFleet(),
    examiners: [],
  });
}

/** Each member's API server accepts this process's Google access token. */
export async function wireFleet({ spec }: Config, accessToken: () => Promise<string>): Promise<() => Fleet> {
  const { kubernetesFleet } = await import("./adapters/fleet.ts");
  return () => kubernetesFleet({ access: spec.accessFunction, credentialOf: () => accessToken });
}

/** Examiners for the functions that the reconciler may ask about their accounts. */
async function wireExaminers({ signerUrl, examineRotatorUrl }: Config): Promise<readonly Examiner[]> {
  const [{ functionExaminer }, auth] = await Promise.all([
    import("./adapters/examiner.ts"),
    import("./adapters/google-auth.ts"),
  ]);
  const identityToken = auth.googleIdentityToken();
  const examiner = (url: string | undefined, of: Pick<ExaminerOptions, "account" | "name">) =>
    url === undefined ? [] : [functionExaminer({ ...of, url, identityToken })];
  return [
    ...examiner(examineRotatorUrl, { account: "rotator", name: "examine-rotator" }),
    ...examiner(signerUrl, { account: "signer", name: "sign-intermediate" }),
  ];
}

/** The ports of `wire`, and the keeper, which changes the root secret. */
export async function wireRotator(config: Config): Promise<() => RotatorPorts> {
  const [makePorts, { secretManagerKeeper }] = await Promise.all([
    wire(config),
    import("./adapters/root-keeper.ts"),
  ]);
  const { spec, secretManagerEndpoint: endpoint } = config;
  const keeper = secretManagerKeeper({
    project: spec.rootProject,
    meshId: spec.meshId,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return () => ({ ...makePorts(), keeper });
}

interface Google {
  readonly clock: Clock;
  readonly sources: ClusterSources;
  readonly roots: RootStore;
}

async function wireGoogle(config: Config): Promise<Google> {
  const [sources, { secretManagerRoots }] = await Promise.all([
    wireSources(config),
    import("./adapters/root-store.ts"),
  ]);
  const { spec, secretManagerEndpoint: endpoint } = config;
  const { rootProject: project, meshId } = spec;
  return {
    clock: { now: () => new Date() },
    sources,
    roots: secretManagerRoots({ project, meshId, ...(endpoint === undefined ? {} : { endpoint }) }),
  };
}

export async function wireSources({ containerEndpoint: endpoint }: Config): Promise<ClusterSources> {
  const [{ gkeDirectory }, { gkeSources }] = await Promise.all([
    import("./adapters/cluster-directory.ts"),
    import("./adapters/cluster-sources.ts"),
  ]);
  return gkeSources(gkeDirectory(endpoint === undefined ? {} : { endpoint }));
}

/** With a signer this process reads no payload of the root. */
async function wireAuthority({ spec, signerUrl: url }: Config, google: Google): Promise<RootAuthority> {
  if (url === undefined) {
    const [{ inProcessAuthority }, keys] = await Promise.all([
      import("./pki/in-process-authority.ts"),
      wireKeys(),
    ]);
    return inProcessAuthority({ store: google.roots, keys, clock: google.clock, spec });
  }
  const [signer, auth] = await Promise.all([
    import("./adapters/root-authority.ts"),
    import("./adapters/google-auth.ts"),
  ]);
  return signer.signIntermediateAuthority({ url, identityToken: auth.googleIdentityToken() });
}

export async function wireKeys(): Promise<RootKeys> {
  return (await import("./pki/root-keys.ts")).keysInPayloads;
}
