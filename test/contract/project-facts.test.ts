import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { googleAccessToken } from "../../shared/adapters/google-auth.ts";
import { googleProjectFacts } from "../../shared/adapters/project-facts.ts";
import type { ProjectFacts, Restriction } from "../../shared/ports.ts";
import { fakeProjectFacts } from "../fakes/project-facts.ts";
import { PROJECT, startGoogle } from "./google.ts";
import { startProjectApis } from "./project-apis.ts";

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
  const apis = await startProjectApis(google.tokens);
  return {
    apis,
    facts: googleProjectFacts({
      endpoint: apis.url,
      accessToken: googleAccessToken(),
      quotaProject: "payer",
    }),
    unbill: () => void (apis.unbilled = true),
    disable: (api: string) => void apis.disabled.add(api),
    revoke: (permission: string) => void apis.revoked.add(permission),
    restrict: (constraint: string, restriction: Restriction) =>
      void apis.policies.set(constraint, rulesOf(restriction)),
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
    world.apis.policies.set("run.allowedIngress", [rule]);
    expect(await world.facts.restriction("shop", "run.allowedIngress")).toBeUndefined();
  });

  it.each<[string, (facts: ProjectFacts) => Promise<unknown>]>([
    ["billing", (facts) => facts.isBilled("shop")],
    ["APIs", (facts) => facts.enabledApis("shop", ["iam.googleapis.com"])],
    ["a policy", (facts) => facts.restriction("shop", "run.allowedIngress")],
  ])("takes no other answer for one: %s", async (_, ask) => {
    world.apis.instead = { unheard: "of" };
    await expect(ask(world.facts)).rejects.toMatchObject({ name: "UnavailableError" });
  });

  it("has every call count on the quota project", async () => {
    await world.facts.isBilled("shop");
    await world.facts.grantedPermissions("shop", ["iam.roles.get"]);
    expect(world.apis.quotaProjects).toEqual(["payer", "payer"]);
  });

  it.each([
    [
      { status: 403 },
      "PermissionDenied",
      { permission: "resourcemanager.projects.get", project: "shop", api: "cloudbilling.googleapis.com" },
    ],
    [{ status: 403, reason: "SERVICE_DISABLED" }, "ServiceDisabled", { api: "cloudbilling.googleapis.com" }],
    [
      { status: 403, reason: "USER_PROJECT_DENIED" },
      "PermissionDenied",
      { permission: "serviceusage.services.use", project: "payer" },
    ],
    [{ status: 429 }, "ResourceExhausted", {}],
    [{ status: 500 }, "Unavailable", {}],
  ])("says what a refusal lacks: %j is %s", async (fault, code, fields) => {
    world.apis.fault = fault;
    await expect(world.facts.isBilled("shop")).rejects.toMatchObject({ code, fields });
  });

  it("keeps the token out of its errors", async () => {
    world.apis.fault = { status: 403 };
    const error: unknown = await world.facts.isBilled("shop").catch((reason: unknown) => reason);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/ya29|authorization/i);
  });
});
