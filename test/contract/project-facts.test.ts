import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { listen } from "../../sandbox/google/http/server.ts";
import { startProjectApis } from "../../sandbox/google/project/api.ts";
import { createProjectState } from "../../sandbox/google/project/state.ts";
import { googleAccessToken } from "../../shared/adapters/google-auth.ts";
import { googleProjectFacts } from "../../shared/adapters/project-facts.ts";
import type { ProjectFacts, Restriction } from "../../shared/ports/project-facts.ts";
import { fakeProjectFacts } from "../support/fakes/project-facts.ts";
import { PROJECT, startGoogle } from "./google.ts";

const PAYER = { id: "payer", number: "4712" };

/** Project `shop`, in order until something is taken away. */
interface FactsWorld {
  readonly facts: ProjectFacts;
  unbill(): void;
  disable(api: string): void;
  revoke(permission: string): void;
  restrict(constraint: string, restriction: Restriction): void;
  close(): Promise<void>;
}

async function startWorld() {
  const google = await startGoogle();
  const state = createProjectState([PROJECT, PAYER]);
  const apis = await startProjectApis({ ...google, state });
  const factsAt = (endpoint: string) =>
    googleProjectFacts({ endpoint, accessToken: googleAccessToken(), consumer: PAYER.id });
  return {
    google,
    state,
    facts: factsAt(apis.url),
    factsAt,
    unbill: () => state.bill(PROJECT.id, undefined),
    disable: (api: string) => state.disable(PROJECT.id, api),
    revoke: (permission: string) => state.revoke(PROJECT.id, permission),
    restrict: (constraint: string, restriction: Restriction) =>
      state.restrict(PROJECT.id, constraint, rulesOf(restriction)),
    async close() {
      await apis.close();
      await google.close();
    },
  };
}

/** The API says `denyAll` of what allows nothing, and leaves empty lists out. */
function rulesOf(restriction: Restriction): object[] {
  if (restriction.kind === "enforced") return [{ enforce: true }];
  const { allowed, denied } = restriction;
  if (allowed.length + denied.length === 0) return [{ denyAll: true }];
  const lists = [
    ["allowedValues", allowed],
    ["deniedValues", denied],
  ].filter(([, values]) => values?.length !== 0);
  return [{ values: Object.fromEntries(lists) }];
}

async function startFake(): Promise<FactsWorld> {
  const facts = fakeProjectFacts();
  return {
    facts,
    unbill: () => facts.unbill(PROJECT.id),
    disable: (api) => facts.disable(PROJECT.id, api),
    revoke: (permission) => facts.revoke(PROJECT.id, permission),
    restrict: (constraint, restriction) => facts.restrict(PROJECT.id, constraint, restriction),
    close: () => Promise.resolve(),
  };
}

describe.each<[string, () => Promise<FactsWorld>]>([
  ["the fake", startFake],
  ["Google's APIs", startWorld],
])("%s as ProjectFacts", (_, start) => {
  let world: FactsWorld;
  beforeEach(async () => {
    world = await start();
  });
  afterEach(() => world.close());

  it("knows whether there is billing", async () => {
    expect(await world.facts.isBilled("shop")).toBe(true);
    world.unbill();
    expect(await world.facts.isBilled("shop")).toBe(false);
  });

  it("knows which APIs are enabled", async () => {
    world.disable("pubsub.googleapis.com");
    const asked = ["iam.googleapis.com", "pubsub.googleapis.com"];
    expect(await world.facts.enabledApis("shop", asked)).toEqual(new Set(["iam.googleapis.com"]));
  });

  it("knows what is granted, however much is asked for", async () => {
    const asked = Array.from({ length: 150 }, (__, index) => `pubsub.topics.verb${index}`);
    world.revoke("pubsub.topics.verb120");
    expect(await world.facts.grantedPermissions("shop", asked)).toEqual(
      new Set(asked.filter((permission) => permission !== "pubsub.topics.verb120")),
    );
  });

  it("knows that nothing is granted", async () => {
    world.revoke("pubsub.topics.create");
    expect(await world.facts.grantedPermissions("shop", ["pubsub.topics.create"])).toEqual(new Set());
  });

  it.each<Restriction>([
    { kind: "enforced" },
    { kind: "values", allowed: [], denied: [] },
    { kind: "values", allowed: ["in:europe-locations"], denied: [] },
    { kind: "values", allowed: ["in:europe-locations"], denied: ["europe-west2"] },
  ])("knows what an organization policy leaves: %j", async (restriction) => {
    expect(await world.facts.restriction("shop", "gcp.resourceLocations")).toBeUndefined();
    world.restrict("gcp.resourceLocations", restriction);
    expect(await world.facts.restriction("shop", "gcp.resourceLocations")).toEqual(restriction);
    expect(await world.facts.restriction("shop", "run.allowedIngress")).toBeUndefined();
  });

  it.each<[string, (facts: ProjectFacts, signal: AbortSignal) => Promise<unknown>]>([
    ["billing", (facts, signal) => facts.isBilled("shop", signal)],
    ["APIs", (facts, signal) => facts.enabledApis("shop", ["iam.googleapis.com"], signal)],
    ["a policy", (facts, signal) => facts.restriction("shop", "run.allowedIngress", signal)],
    ["permissions", (facts, signal) => facts.grantedPermissions("shop", ["iam.roles.get"], signal)],
  ])("fails retryably, and at once, when it is cancelled: %s", async (__, ask) => {
    await expect(ask(world.facts, AbortSignal.abort())).rejects.toMatchObject({
      name: "UnavailableError",
      code: "Cancelled",
    });
  });
});

describe("googleProjectFacts", () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  it.each([{ enforce: false }, { allowAll: true }])("takes %j for a policy that leaves all", async (rule) => {
    world.state.restrict("shop", "run.allowedIngress", [rule]);
    expect(await world.facts.restriction("shop", "run.allowedIngress")).toBeUndefined();
  });

  it.each<[string, (facts: ProjectFacts) => Promise<unknown>]>([
    ["billing", (facts) => facts.isBilled("shop")],
    ["APIs", (facts) => facts.enabledApis("shop", ["iam.googleapis.com"])],
    ["a policy", (facts) => facts.restriction("shop", "run.allowedIngress")],
  ])("takes no other answer for one: %s", async (_, ask) => {
    const other = await listen((__, response) => void response.end(JSON.stringify({ unheard: "of" })));
    await expect(ask(world.factsAt(other.url))).rejects.toMatchObject({ name: "UnavailableError" });
    await other.close();
  });

  it("counts every call on the consumer", async () => {
    world.state.disable("shop", "cloudbilling.googleapis.com");
    expect(await world.facts.isBilled("shop")).toBe(true);
    world.state.disable("payer", "cloudresourcemanager.googleapis.com");
    await expect(world.facts.grantedPermissions("shop", ["iam.roles.get"])).rejects.toMatchObject({
      code: "ServiceDisabled",
      fields: { api: "cloudresourcemanager.googleapis.com", consumer: "payer" },
    });
  });

  it.each<[string, string, (world: Awaited<ReturnType<typeof startWorld>>) => void, object]>([
    [
      "of the permission",
      "PermissionDenied",
      ({ state }) => state.revoke("shop", "resourcemanager.projects.get"),
      { permission: "resourcemanager.projects.get", project: "shop", api: "cloudbilling.googleapis.com" },
    ],
    [
      "of the API",
      "ServiceDisabled",
      ({ state }) => state.disable("payer", "cloudbilling.googleapis.com"),
      { api: "cloudbilling.googleapis.com", consumer: "payer" },
    ],
    [
      "of the consumer",
      "PermissionDenied",
      ({ state }) => state.revoke("payer", "serviceusage.services.use"),
      { permission: "serviceusage.services.use", project: "payer" },
    ],
    [
      "for the time being",
      "ResourceExhausted",
      ({ google }) => google.faults.add({ target: "projects", kind: "status", status: 429 }),
      {},
    ],
    [
      "of a server that is ill",
      "Unavailable",
      ({ google }) => google.faults.add({ target: "projects", kind: "status", status: 500 }),
      {},
    ],
  ])("says what a refusal is about: %s", async (_, code, damage, fields) => {
    damage(world);
    await expect(world.facts.isBilled("shop")).rejects.toMatchObject({ code, fields });
  });

  it("keeps the token out of its errors", async () => {
    world.state.revoke("shop", "resourcemanager.projects.get");
    const error: unknown = await world.facts.isBilled("shop").catch((reason: unknown) => reason);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/ya29|authorization/i);
  });
});
