import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "@jest/globals";
import { listen } from "../../sandbox/google/http/server.ts";
import { startSecretManager } from "../../sandbox/google/secret-manager/api.ts";
import { secretManagerKeeper } from "../../shared/adapters/root-keeper.ts";
import { secretManagerRoots } from "../../shared/adapters/root-store.ts";
import { UnavailableError } from "../../shared/errors.ts";
import { fakeRootStore } from "../support/fakes/root-store.ts";
import { CALLER, type Google, operate, PROJECT, startGoogle } from "./google.ts";
import { describeRootKeeper, describeRootStore, type RootWorld } from "./root-store.contract.ts";

const MESH = "prod";
const SECRET = "prod-root-ca";

async function startWorld(): Promise<RootWorld & { readonly google: Google }> {
  const google = await startGoogle();
  let denied = false;
  const withheld = new Set<string>();
  const wouldAllow = (caller: string, permission: string) =>
    caller !== CALLER || !(denied || withheld.has(permission));
  const api = await startSecretManager({ ...google, allows: wouldAllow, wouldAllow });
  const wire = await startDamagingWire(api.url);
  const secrets = `${api.url}/v1/projects/${PROJECT.id}/secrets`;
  const secret = `${secrets}/${SECRET}`;
  await operate(google, "POST", `${secrets}?secretId=${SECRET}`, { replication: { automatic: {} } });
  return {
    google,
    store: secretManagerRoots({ project: PROJECT.id, meshId: MESH, endpoint: wire.url }),
    keeper: secretManagerKeeper({ project: PROJECT.id, meshId: MESH, endpoint: api.url }),
    async addVersion(payload) {
      const body = { payload: { data: Buffer.from(payload).toString("base64") } };
      const { name } = await operate(google, "POST", `${secret}:addVersion`, body);
      return Number(String(name).split("/").at(-1));
    },
    async setAliases(versionAliases) {
      await operate(google, "PATCH", `${secret}?updateMask=versionAliases`, { versionAliases });
    },
    async setAnnotations(annotations) {
      await operate(google, "PATCH", `${secret}?updateMask=annotations`, { annotations });
    },
    async disable(version) {
      await operate(google, "POST", `${secret}/versions/${version}:disable`, {});
    },
    damage: () => wire.damage(),
    async deleteSecret() {
      await operate(google, "DELETE", secret);
    },
    deny() {
      denied = true;
    },
    withhold(permission) {
      withheld.add(permission);
    },
    overloadOnce() {
      google.faults.add({ target: "secretmanager", kind: "status", status: 429, count: 1 });
    },
    async close() {
      await wire.close();
      await api.close();
      await google.close();
    },
  };
}

/** Between client and API; once told to, it changes every payload and leaves the checksum alone. */
async function startDamagingWire(api: string) {
  let damaging = false;
  const forward = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const authorization = incoming.headers.authorization ?? "";
    const response = await fetch(`${api}${incoming.url}`, { headers: { authorization } });
    const body = await response.text();
    answer.writeHead(response.status, { "content-type": "application/json" });
    answer.end(damaging ? body.replace(/("data": ")[^"]+/, "$1AAAA") : body);
  };
  const server = await listen((incoming, answer) => {
    forward(incoming, answer).catch(() => answer.destroy());
  });
  return {
    url: server.url,
    damage: () => {
      damaging = true;
    },
    close: () => server.close(),
  };
}

async function startFake(): Promise<RootWorld> {
  const store = fakeRootStore(MESH);
  return {
    store,
    keeper: store,
    addVersion: async (payload) => store.addVersion(payload),
    async setAliases(aliases) {
      const { signing, next, previous, ...others } = aliases;
      const roles = Object.entries({ signing, next, previous }).filter(
        ([, version]) => version !== undefined,
      );
      store.setAliases(Object.fromEntries(roles), others);
    },
    setAnnotations: async (annotations) => store.setAnnotations(annotations),
    disable: (version) => store.disable(version),
    damage: (version) => store.damage(version),
    deleteSecret: async () => store.deleteSecret(),
    deny: () => store.deny(),
    withhold: (permission) => store.withhold(permission),
    overloadOnce: () =>
      store.failNext(new UnavailableError("too many requests; try again", { code: "ResourceExhausted" })),
    close: () => Promise.resolve(),
  };
}

describeRootStore("the fake", startFake);
describeRootStore("Secret Manager", startWorld);
describeRootKeeper("the fake", startFake);
describeRootKeeper("Secret Manager", startWorld);

describe("secretManagerRoots", () => {
  it("ignores aliases that are no role of a root", async () => {
    const world = await startWorld();
    try {
      await world.addVersion("a");
      await world.setAliases({ signing: 1, prod: 1, latest_good: 1 });
      expect((await world.store.state()).versions).toEqual({ signing: 1 });
    } finally {
      await world.close();
    }
  });

  it("reads the state with one request and a payload with another", async () => {
    const world = await startWorld();
    try {
      await world.addVersion("a");
      await world.store.state();
      await world.store.payload(1);
      expect(world.google.ledger.requests(CALLER).secretmanager).toBe(2);
    } finally {
      await world.close();
    }
  });

  it("names the secret and the command that creates it", async () => {
    const world = await startWorld();
    try {
      await world.deleteSecret();
      await expect(world.store.state()).rejects.toMatchObject({
        message: "secret prod-root-ca does not exist in project shop",
        cure: 'create it with "meshjoin root init", or with "gcloud secrets create prod-root-ca --project shop" and a root CA as its version',
      });
    } finally {
      await world.close();
    }
  });
});
