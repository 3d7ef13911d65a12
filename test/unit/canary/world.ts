import { inspect } from "node:util";
import { parse } from "yaml";
import { onRotationRequest } from "../../../functions/on-rotation-request/on-rotation-request.ts";
import { syncMesh } from "../../../functions/sync-mesh/sync-mesh.ts";
import { createLogger } from "../../../shared/log.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import type { RotatorRun } from "../../../shared/rotate/change-roots.ts";
import type { Runtime } from "../../../shared/runtime.ts";
import { aMesh, type FakeMesh, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { call } from "../cli/host.ts";
import { PUBSUB_TYPE } from "../functions/entries.ts";
import { fileOf, objectsOf, secretsOf } from "../reconcile/world.ts";
import { STAGE } from "../rotate/world.ts";
import { type Canaries, canaries, type Said } from "./leaks.ts";

/** A mesh that is listened to: everything that leaves Meshjoin, and everything that must not. */
export interface ListenedWorld {
  readonly mesh: FakeMesh;
  readonly canaries: Canaries;
  /** To the function on-rotation-request; an error that it throws counts as said. */
  message(order: object | string, process?: ProcessOptions): Promise<void>;
  /** Ticks, each a stage after the one before. */
  stages(count: number, process?: ProcessOptions): Promise<void>;
  /** To the function sync-mesh. */
  http(method: string, url: string, body?: string): Promise<void>;
  cli(args: string, files?: Readonly<Record<string, string>>): Promise<void>;
  /** Everybody who shows something is asked. */
  lookAround(): Promise<void>;
  /** Where anything was said so far. */
  places(): ReadonlySet<string>;
  hasSaid(words: string): boolean;
  leaks(): string[];
}

/** Two members have joined it, with a root that `root init` has made. */
export async function aListenedWorld(): Promise<ListenedWorld> {
  const mesh = await aMesh({ members: 2 });
  const secrets = canaries();
  const said = new Map<string, Said>();

  const say = (where: string, what: unknown) => {
    const text = typeof what === "string" ? what : inspect(what, WHOLE);
    said.set(`${where} ${text}`, { where, text });
  };
  const runtimeOf = (process: ProcessOptions = {}): Runtime<RotatorRun> => ({
    spec: mesh.spec,
    log: createLogger({ write: (line) => say("log", line) }),
    async withRun(report, use) {
      const run = mesh.run({
        ...process,
        report: (progress) => {
          say("progress", progress);
          report(progress);
        },
      });
      try {
        const result = await use(run);
        say("result", result);
        return result;
      } catch (error) {
        say("error", error);
        throw error;
      }
    },
  });
  const answer = syncMesh(runtimeOf(), {});

  async function message(order: object | string, process?: ProcessOptions): Promise<void> {
    const text = typeof order === "string" ? order : JSON.stringify(order);
    mesh.clock.advance(1);
    const data = {
      message: {
        data: Buffer.from(text).toString("base64"),
        attributes: {},
        publishTime: mesh.clock.now().toISOString(),
      },
    };
    mesh.clock.advance(1);
    await onRotationRequest(runtimeOf(process), { id: "1", type: PUBSUB_TYPE, data }).catch((error) =>
      say("error", error),
    );
    look();
  }

  async function http(method: string, url: string, body?: string): Promise<void> {
    const headers = { host: "localhost", "content-type": "application/json", "cache-control": "no-cache" };
    const rawBody = body === undefined ? {} : { rawBody: Buffer.from(body) };
    say("HTTP answer", await answer({ method, url, headers, ...rawBody }));
    look();
  }

  async function cli(args: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const content of Object.values(files)) secrets.addKeys(content);
    mesh.clock.advance(1);
    const { out, err, questions } = await call(mesh, args, { files, answer: true });
    for (const text of [out, err, ...questions]) say("command line", text);
    look();
  }

  /** Listens to the annotations of everything, and learns the present secrets. */
  function look(): void {
    for (const { kind, metadata } of objectsOf(mesh)) {
      say("annotation", JSON.stringify({ kind, ...metadata, managedFields: undefined }));
    }
    say("annotation", JSON.stringify(mesh.roots.annotations));
    for (const payload of mesh.roots.payloads) secrets.addKeys(payload.toString());
    for (const cluster of mesh.clusters)
      for (const secret of secretsOf(mesh, cluster)) learn(secrets, secret);
  }

  for (const cluster of mesh.clusters) {
    mesh.fleet.server(cluster).store.onChange(() => {
      for (const secret of secretsOf(mesh, cluster)) learn(secrets, secret);
    });
  }
  mesh.roots.deleteSecret();
  mesh.roots.setAliases({});
  await cli("root init --algorithm ec-p384");
  await http("GET", "/plan");
  await http("POST", "/sync", "{}");

  return {
    mesh,
    canaries: secrets,
    message,
    async stages(count, process) {
      for (let index = 0; index < count; index += 1) {
        mesh.clock.advance(STAGE);
        await message({ kind: "tick" }, process);
      }
    },
    http,
    cli,
    async lookAround() {
      for (const url of ["/", "/?plan=mesh", "/plan", "/status"]) await http("GET", url);
      for (const args of ["status", "plan", "root status", "doctor"]) {
        await cli(args);
        await cli(`${args} --output json`);
      }
    },
    places: () => new Set([...said.values()].map(({ where }) => where)),
    hasSaid: (words) => [...said.values()].some(({ text }) => text.includes(words)),
    leaks: () => secrets.leaks(said.values()),
  };
}

/** Nothing that an error or a result holds is left out. */
const WHOLE = { depth: Number.POSITIVE_INFINITY, maxArrayLength: null, maxStringLength: null } as const;

function learn(secrets: Canaries, secret: KubernetesObject): void {
  const { name } = secret.metadata;
  if (name === "cacerts") secrets.addKeys(fileOf(secret, "ca-key.pem"));
  const prefix = "istio-remote-secret-";
  if (!name.startsWith(prefix)) return;
  const { users }: Kubeconfig = parse(fileOf(secret, name.slice(prefix.length)));
  for (const { user } of users) secrets.addToken(user.token);
}

interface Kubeconfig {
  readonly users: readonly { readonly user: { readonly token: string } }[];
}
