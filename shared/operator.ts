import { lazily } from "./async/lazily.ts";
import { loadConfig } from "./config.ts";
import type { MeshSpec } from "./core/spec.ts";
import type { ManifestTemplate } from "./istio/template.ts";
import type { CallerIdentity } from "./ports/caller-identity.ts";
import type { ClusterLabels } from "./ports/cluster-labels.ts";
import type { ClusterSources } from "./ports/cluster-sources.ts";
import type { Firewalls } from "./ports/firewalls.ts";
import type { Fleet } from "./ports/fleet.ts";
import type { RotatorPorts } from "./ports/ports.ts";
import type { ProjectFacts } from "./ports/project-facts.ts";
import type { Quotas } from "./ports/quotas.ts";
import type { RootKeys } from "./ports/root-keys.ts";
import type { Reporter } from "./progress.ts";
import { createRun, type Run } from "./run.ts";
import {
  closing,
  DEADLINE_MS,
  readTemplate,
  wireFleet,
  wireKeys,
  wireRotator,
  wireSources,
} from "./runtime.ts";

/** The ports of a person at a command line. No trigger gets them. */
export interface OperatorPorts extends RotatorPorts {
  readonly labels: ClusterLabels;
  readonly caller: CallerIdentity;
  readonly firewalls: Firewalls;
  readonly keys: RootKeys;
}

/** The ports for a project where nothing is deployed yet. */
export interface PreflightPorts {
  readonly caller: CallerIdentity;
  readonly facts: ProjectFacts;
  readonly quotas: Quotas;
  readonly sources: ClusterSources;
  readonly fleet: Fleet;
  /** Istio's manifest; in the sandbox that for its own clusters. Fails where none was built. */
  readonly template: () => Promise<ManifestTemplate>;
}

export type OperatorRun = Run<OperatorPorts>;

/** The wiring of one command. */
export interface Operator {
  readonly spec: MeshSpec;
  /** The URL of the signer, which reads the root's payloads in this process's place, if there is one. */
  readonly signerUrl: string | undefined;
  /** Stand-ins take the place of Google's APIs. */
  readonly inSandbox: boolean;
  /** Needs the manifest. `signal`: of a caller whose time may be over before the run's. */
  withRun<T>(progress: Reporter, use: (run: OperatorRun) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The caller closes their fleet. */
  open(): Promise<OperatorPorts>;
  /** The caller closes their fleet. */
  openPreflight(): Promise<PreflightPorts>;
}

/** Identity tokens from the person's own credentials, by audience. Fails as `googleIdentityToken` does. */
export function operatorIdentity(): (audience: string) => Promise<string> {
  const tokens = lazily(async () => (await import("./adapters/google-auth.ts")).googleIdentityToken());
  return async (audience) => await (await tokens())(audience);
}

/**
 * The composition root of the command line, with the ports that only a person has. Fails with ConfigError.
 * `manifest`: the `istio/manifest.json` that the build has rendered; each run reads it when it starts.
 */
export function createOperator(env: NodeJS.ProcessEnv, manifest: URL): Operator {
  const config = loadConfig(env);
  const { spec, signerUrl, containerEndpoint: endpoint, computeEndpoint, projectEndpoint } = config;
  const projectApis = projectEndpoint === undefined ? {} : { endpoint: projectEndpoint };
  const adapters = lazily(() =>
    Promise.all([
      wireRotator(config),
      wireKeys(),
      import("./adapters/cluster-labels.ts"),
      import("./adapters/google-auth.ts"),
      import("./adapters/firewalls.ts"),
    ]),
  );

  async function open(): Promise<OperatorPorts> {
    const [makePorts, keys, { gkeLabels }, { googleCaller, googleAccessToken }, { computeFirewalls }] =
      await adapters();
    const labels = gkeLabels(endpoint === undefined ? {} : { endpoint });
    const firewalls = computeFirewalls({
      accessToken: googleAccessToken(),
      ...(computeEndpoint === undefined ? {} : { endpoint: computeEndpoint }),
    });
    return { ...makePorts(), labels, caller: googleCaller(), firewalls, keys };
  }

  return {
    spec,
    signerUrl,
    inSandbox: endpoint !== undefined,
    open,
    async openPreflight() {
      const [{ googleCaller, googleAccessToken }, { googleProjectFacts }, { googleQuotas }] =
        await Promise.all([
          import("./adapters/google-auth.ts"),
          import("./adapters/project-facts.ts"),
          import("./adapters/quotas.ts"),
        ]);
      const accessToken = googleAccessToken();
      const [sources, makeFleet] = await Promise.all([wireSources(config), wireFleet(config, accessToken)]);
      return {
        caller: googleCaller(),
        facts: googleProjectFacts({ ...projectApis, accessToken, consumer: spec.rootProject }),
        quotas: googleQuotas({
          ...projectApis,
          accessToken,
          ...(computeEndpoint === undefined ? {} : { computeEndpoint }),
        }),
        sources,
        fleet: makeFleet(),
        template: () => readTemplate(manifest),
      };
    },
    async withRun(progress, use, ending) {
      const [template, ports] = await Promise.all([readTemplate(manifest), open()]);
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const signal = ending === undefined ? deadline : AbortSignal.any([deadline, ending]);
      return await closing(createRun({ ports, spec, template, progress, signal }), use);
    },
  };
}
