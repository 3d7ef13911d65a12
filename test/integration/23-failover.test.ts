import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { memberApi } from "../../sandbox/traffic/member-api.ts";
import { sendRequest } from "../../sandbox/traffic/request.ts";
import { type Counted, type Spread, type SpreadServer, startSpread } from "../../sandbox/traffic/spread.ts";
import { FAILOVER_RULE } from "../../shared/core/names.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { plan, status, sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: {
    MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2",
    MESHJOIN_DNS_CAPTURE: "on",
  },
});
/** `own` has the client; `near` is in its region; `afar` in another, and behind a gateway. */
let own: FleetMember;
let near: FleetMember;
let afar: FleetMember;
let spread: Spread;

/** Five failures eject an endpoint; some requests are on their way then. */
const EJECTION_MAX = 15;
const FLOW_MS = 3000;
/** Proxies learn of a change within this time. */
const SETTLE_MS = 2000;
const IN_ISTIO = ["-n", "istio-system"] as const;
const IN_SHOP = ["-n", "shop"] as const;
const UNAVAILABLE = 503;
/** Envoy's own answer where it has no endpoint to send a request to. */
const NO_SERVER = `${UNAVAILABLE} no healthy upstream`;
const DIFFERS = "TrafficDefaultsDiffer";

beforeAll(async () => {
  const { fleet } = world;
  near = await fleet.createCluster("near", { location: "europe-west1-c" });
  await fleet.waitUntilDelivered();
  await fleet.waitUntilSynced();
  const [first, second] = membersOf(fleet);
  if (first === undefined || second === undefined) throw new Error("the fleet lacks a member");
  [own, afar] = [first, second];
  spread = await startSpread(fleet);
}, 2 * SCENARIO_MS);

afterAll(async () => {
  await spread.stop();
});

function serverIn({ name }: FleetMember): SpreadServer {
  const server = spread.servers.get(name);
  if (server === undefined) throw new Error(`no server in ${name}`);
  return server;
}

/** Until the client's sidecar has these endpoints, with these priorities. */
async function expectPriorities(...wanted: readonly (readonly [FleetMember, number])[]): Promise<void> {
  const expected = Object.fromEntries(wanted.map(([{ name }, priority]) => [name, priority]));
  const isExpected = (seen: Readonly<Record<string, number>>) =>
    Object.keys(seen).length === wanted.length && wanted.every(([{ name }, each]) => seen[name] === each);
  expect(await eventually(() => spread.priorities(), isExpected)).toEqual(expected);
}

/** Requests that ended otherwise than with 200. */
const failed = (counted: Counted) =>
  Object.entries(counted).reduce((sum, [key, count]) => sum + (/^\d+ /.test(key) ? count : 0), 0);

async function changeRule(patch: object): Promise<void> {
  const spec = JSON.stringify({ spec: { trafficPolicy: patch } });
  await kubectl(own, ...IN_ISTIO, "patch", "destinationrule", FAILOVER_RULE, "--type=merge", "-p", spec);
  await sleep(SETTLE_MS);
}

async function createRule(name: string, namespace: string, host: string): Promise<void> {
  const apiVersion = "networking.istio.io/v1";
  await memberApi(own).create(`/apis/${apiVersion}/namespaces/${namespace}/destinationrules`, {
    apiVersion,
    kind: "DestinationRule",
    metadata: { name, namespace },
    spec: { host, trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 } } } },
  });
}

const ruleNames = async () =>
  await kubectl(own, ...IN_ISTIO, "get", "destinationrules", "-o", "jsonpath={.items[*].metadata.name}");

const findingsOfOwn = async () => {
  const { members } = await status(world.fleet);
  return members.find(({ clusterId }) => clusterId === own.clusterId)?.findings.map(({ reason }) => reason);
};

describe("requests to a Service that three members have", () => {
  it(
    "23.1 go to the own cluster, with the region before the rest, over mutual TLS and without a confirmation",
    async () => {
      await expectPriorities([own, 0], [near, 1], [afar, 2]);
      const counted = await spread.send(FLOW_MS);
      expect(Object.keys(counted)).toEqual([own.name]);
      expect(counted[own.name]).toBeGreaterThan(50);
      expect((await sync(world.fleet)).body).toMatchObject({ outcome: "unchanged", findings: [] });
      expect((await plan(world.fleet)).actions).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "23.2 go to the region when the own server dies, then through the gateway, and come back; few of them fail",
    async () => {
      await serverIn(own).behave("dead");
      const first = await spread.send(FLOW_MS);
      expect(failed(first)).toBeLessThanOrEqual(EJECTION_MAX);
      expect(Object.keys(first)).toContain(near.name);
      expect(Object.keys(first)).not.toContain(afar.name);
      await serverIn(near).behave("dead");
      const second = await spread.send(FLOW_MS);
      expect(failed(second)).toBeLessThanOrEqual(EJECTION_MAX);
      expect(Object.keys(second)).toContain(afar.name);
      await serverIn(afar).behave("dead");
      const none = await spread.send(FLOW_MS);
      expect(Object.keys(none).every((key) => key.startsWith(`${UNAVAILABLE} `))).toBe(true);
      // All are ejected: the first that is mended gets requests at once.
      expect(none).not.toHaveProperty([NO_SERVER]);
      for (const member of [own, near, afar]) await serverIn(member).behave(200);
      expect(failed(await spread.send(FLOW_MS))).toBe(0);
      expect(
        await eventually(
          () => spread.send(1000),
          (counted) => Object.keys(counted).join() === own.name,
          SCENARIO_MS,
        ),
      ).toEqual({ [own.name]: expect.any(Number) });
    },
    SCENARIO_MS,
  );

  it(
    "23.3 go everywhere, to a dead server too, without the rule; it comes back after a confirmation alone",
    async () => {
      const { fleet } = world;
      await kubectl(own, ...IN_ISTIO, "delete", "destinationrule", FAILOVER_RULE);
      await expectPriorities([own, 0], [near, 0], [afar, 0]);
      await serverIn(near).behave("dead");
      const control = await spread.send(FLOW_MS);
      expect(failed(control)).toBeGreaterThan(EJECTION_MAX);
      expect(await findingsOfOwn()).toEqual([DIFFERS]);
      expect((await sync(fleet, { deep: true })).body.findings.map(({ reason }) => reason)).toEqual([
        DIFFERS,
      ]);
      expect(await ruleNames()).toBe("");
      await sync(fleet, { confirm: [DIFFERS] });
      await expectPriorities([own, 0], [near, 1], [afar, 2]);
      expect(await findingsOfOwn()).toEqual([]);
      const counted = await spread.send(FLOW_MS);
      expect(Object.keys(counted)).toEqual([own.name]);
      await serverIn(near).behave(200);
    },
    SCENARIO_MS,
  );

  it(
    "23.4 find the name of a Service that only other members have, thanks to DNS capture, and pass",
    async () => {
      const service = async (member: FleetMember, name: string, port: string, more: object = {}) => {
        const path = "/api/v1/namespaces/shop/services";
        const made = await memberApi(member).create<{ spec: { clusterIP: string } }>(path, {
          metadata: { name },
          spec: {
            selector: { app: `spread-${member.name}` },
            ports: [{ name: port, port: spread.port, targetPort: serverIn(member).port }],
            ...more,
          },
        });
        return made.spec.clusterIP;
      };
      const headless = { clusterIP: "None" };
      const [http, tcp] = [await service(near, "there", "http"), await service(near, "there-tcp", "tcp")];
      await service(near, "pods-near", "http", headless);
      await service(afar, "pods-afar", "http", headless);
      const host = (name: string) => `${name}.shop.svc.cluster.local`;
      const addressesOf = async (name: string) => await spread.resolve(host(name)).catch(String);
      const found = await eventually(
        async () => await Promise.all(["there", "there-tcp", "pods-near"].map(addressesOf)),
        (all) => all.every((each) => Array.isArray(each)),
      );
      expect(found).toEqual([[http], [tcp], [world.fleet.traffic?.hostAddress]]);
      expect(await addressesOf("pods-afar")).toContain("ENOTFOUND");
      const answer = await eventually(
        () => sendRequest({ port: spread.port, host: host("there") }),
        ({ status: code }) => code === 200,
      );
      expect(answer).toMatchObject({ status: 200, body: near.name });
    },
    SCENARIO_MS,
  );

  it(
    "23.5 are answered by a lone server whatever it says; an edit that would keep them from it is taken back",
    async () => {
      const { fleet } = world;
      for (const member of [near, afar])
        await kubectl(member, ...IN_SHOP, "delete", "pod", `spread-${member.name}`, "--grace-period=0");
      await expectPriorities([own, 0]);
      const answersOf = async (answer: number) => {
        await serverIn(own).behave(answer);
        return Object.keys(await spread.send(FLOW_MS));
      };
      expect(await answersOf(500)).toEqual([`500 ${own.name}`]);
      expect(await answersOf(503)).toEqual([`503 ${own.name}`]);
      await serverIn(own).behave(200);
      expect(Object.keys(await spread.send(FLOW_MS))).toEqual([own.name]);

      await changeRule({ outlierDetection: { minHealthPercent: 0, consecutive5xxErrors: 5 } });
      expect(await answersOf(500)).toContain(NO_SERVER);
      await serverIn(own).behave(200);
      const { body } = await sync(fleet, { deep: true });
      const { findings = [] } = body.members.find(({ clusterId }) => clusterId === own.clusterId) ?? {};
      expect(findings).toMatchObject([{ reason: "ControlPlaneEdited" }]);
      await sleep(SETTLE_MS);
      expect(await answersOf(500)).toEqual([`500 ${own.name}`]);
      await serverIn(own).behave(200);
    },
    SCENARIO_MS,
  );

  it(
    "23.6 follow a rule of the Service's own, and a rule of somebody else for all Services stays alone",
    async () => {
      const { fleet } = world;
      const clusters = async (word: string) => {
        const page = await spread.admin("/config_dump?resource=dynamic_active_clusters");
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Envoy's own format
        const { configs } = JSON.parse(page) as {
          configs: { cluster: { name: string; outlier_detection?: object } }[];
        };
        return configs.map(({ cluster }) => cluster).filter(({ name }) => name.includes(word));
      };
      expect(await clusters("spread.shop")).toMatchObject([{ outlier_detection: expect.anything() }]);
      const [outside] = await clusters("outside.example.com");
      expect(outside).toBeDefined();
      expect(outside).not.toHaveProperty("outlier_detection");

      await createRule("spread", "shop", "spread");
      expect(
        await eventually(
          () => clusters("spread.shop"),
          ([seen]) => seen?.outlier_detection === undefined,
        ),
      ).toHaveLength(1);
      await kubectl(own, ...IN_SHOP, "delete", "destinationrule", "spread");

      await kubectl(own, ...IN_ISTIO, "delete", "destinationrule", FAILOVER_RULE);
      await createRule("defaults", "istio-system", "*.local");
      await sync(fleet, { confirm: [DIFFERS] });
      expect(await ruleNames()).toBe("defaults");
      expect(await findingsOfOwn()).toEqual(["TrafficDefaultsForeign"]);
    },
    SCENARIO_MS,
  );
});
