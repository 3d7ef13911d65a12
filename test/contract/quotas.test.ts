import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startCompute } from "../../sandbox/google/compute/api.ts";
import { listen } from "../../sandbox/google/http/server.ts";
import { startProjectApis } from "../../sandbox/google/project/api.ts";
import { createProjectState } from "../../sandbox/google/project/state.ts";
import { googleAccessToken } from "../../shared/adapters/google-auth.ts";
import { googleQuotas } from "../../shared/adapters/quotas.ts";
import type { Quota, Quotas } from "../../shared/ports/quotas.ts";
import { fakeQuotas } from "../support/fakes/quotas.ts";
import { PROJECT, startGoogle } from "./google.ts";

const CPU = "CpuAllocPerProjectRegion";
const BELGIUM = "europe-west1";

/** Project `shop`. */
interface QuotasWorld {
  readonly quotas: Quotas;
  setCompute(region: string, metric: string, quota: Quota): void;
  setRun(region: string, limit: number): void;
  close(): Promise<void>;
}

async function startWorld() {
  const google = await startGoogle();
  const state = createProjectState([PROJECT]);
  const [apis, compute] = await Promise.all([
    startProjectApis({ ...google, state }),
    startCompute({ ...google, state }),
  ]);
  const quotasAt = (endpoint: string, computeEndpoint: string) =>
    googleQuotas({ endpoint, computeEndpoint, accessToken: googleAccessToken() });
  return {
    state,
    quotas: quotasAt(apis.url, compute.url),
    quotasAt,
    setCompute: (region: string, metric: string, quota: Quota) =>
      compute.quotas.set(PROJECT.id, metric === "CPUS_ALL_REGIONS" ? undefined : region, {
        metric,
        ...quota,
      }),
    setRun: (region: string, limit: number) =>
      state.limit(PROJECT.id, CPU, [{ value: "7000" }, { region, value: String(limit) }]),
    async close() {
      await Promise.all([apis.close(), compute.close()]);
      await google.close();
    },
  };
}

async function startFake(): Promise<QuotasWorld> {
  const quotas = fakeQuotas();
  return {
    quotas,
    setCompute: (region, metric, quota) => quotas.setCompute(PROJECT.id, region, metric, quota),
    setRun: (region, limit) => quotas.setRun(PROJECT.id, region, CPU, limit),
    close: () => Promise.resolve(),
  };
}

describe.each<[string, () => Promise<QuotasWorld>]>([
  ["the fake", startFake],
  ["Google's APIs", startWorld],
])("%s as Quotas", (_, start) => {
  let world: QuotasWorld;
  beforeEach(async () => {
    world = await start();
  });
  afterEach(() => world.close());

  it.each(["CPUS", "SSD_TOTAL_GB", "IN_USE_ADDRESSES", "CPUS_ALL_REGIONS"])(
    "tells limit and use of Compute Engine's %s",
    async (metric) => {
      const quota = { limit: 8, usage: 2.5 };
      world.setCompute(BELGIUM, metric, quota);
      expect((await world.quotas.compute("shop", BELGIUM)).get(metric)).toEqual(quota);
    },
  );

  it("tells those of another region apart", async () => {
    world.setCompute(BELGIUM, "CPUS", { limit: 1, usage: 0 });
    expect((await world.quotas.compute("shop", "us-east1")).get("CPUS")?.limit).toBeGreaterThan(1);
  });

  it("tells what Cloud Run lets a service have in a region", async () => {
    world.setRun(BELGIUM, 4000);
    expect(await world.quotas.run("shop", BELGIUM, CPU)).toBe(4000);
    expect(await world.quotas.run("shop", "us-east1", CPU)).toBeGreaterThan(4000);
  });

  it.each<[string, (quotas: Quotas, signal: AbortSignal) => Promise<unknown>]>([
    ["Compute Engine's", (quotas, signal) => quotas.compute("shop", BELGIUM, signal)],
    ["Cloud Run's", (quotas, signal) => quotas.run("shop", BELGIUM, CPU, signal)],
  ])("fails retryably, and at once, when it is cancelled: %s", async (__, ask) => {
    await expect(ask(world.quotas, AbortSignal.abort())).rejects.toMatchObject({
      name: "UnavailableError",
      code: "Cancelled",
    });
  });
});

describe("googleQuotas", () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  it("takes -1 for no limit", async () => {
    world.state.limit("shop", CPU, [{ value: "-1" }]);
    expect(await world.quotas.run("shop", BELGIUM, CPU)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    { unheard: "of" },
    { quotas: [{ metric: "CPUS", limit: "8" }] },
    { quotas: [], quotaStatusWarning: { code: "UNREACHABLE" } },
    { dimensionsInfos: [{ dimensions: { region: "us-east1" }, details: { value: "1" } }] },
  ])("takes no other answer for one: %j", async (answer) => {
    const other = await listen((_, response) => void response.end(JSON.stringify(answer)));
    const quotas = world.quotasAt(other.url, other.url);
    const failure = { name: "UnavailableError" };
    await expect(quotas.compute("shop", BELGIUM)).rejects.toMatchObject(failure);
    await expect(quotas.run("shop", BELGIUM, CPU)).rejects.toMatchObject(failure);
    await other.close();
  });

  it.each<[string, "disable" | "revoke", string, object]>([
    [
      "the API of Compute Engine",
      "disable",
      "compute.googleapis.com",
      { code: "ServiceDisabled", fields: { api: "compute.googleapis.com", consumer: "shop" } },
    ],
    [
      "a right",
      "revoke",
      "compute.regions.get",
      { code: "PermissionDenied", fields: { permission: "compute.regions.get", project: "shop" } },
    ],
  ])("says what is missing: %s", async (_, how, what, expected) => {
    world.state[how]("shop", what);
    await expect(world.quotas.compute("shop", BELGIUM)).rejects.toMatchObject(expected);
  });
});
