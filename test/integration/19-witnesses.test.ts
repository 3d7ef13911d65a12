import { describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import pin from "../../shared/istio/pin.json" with { type: "json" };
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { istioctl, kubectl } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { forwardPorts, type Protocol } from "./world/port-forward.ts";
import { sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 3 });

const DEBUG_PORT = 8080;
const MONITORING_PORT = 15_014;
/** Nothing of istiod listens there. */
const CLOSED_PORT = 8443;

/** Status by cluster ID, as istioctl prints it. */
async function remoteClusters(member: FleetMember): Promise<Readonly<Record<string, string>>> {
  const [, ...rows] = (await istioctl(member, "remote-clusters")).trim().split("\n");
  return Object.fromEntries(
    rows.map((row) => {
      const cells = row.trim().split(/\s+/);
      return [cells[0] ?? "", cells.at(-3) ?? ""];
    }),
  );
}

function first(): FleetMember {
  const [member] = membersOf(world.fleet);
  if (member === undefined) throw new Error("there is no member");
  return member;
}

const istiod = (...args: string[]) => kubectl(first(), "-n", "istio-system", ...args);
const logs = async (...args: string[]) =>
  (await istiod("logs", "deployment/istiod", ...args)).split("\n").slice(0, -1);

describe("clients that know nothing of Meshjoin", () => {
  it(
    "19.1 istioctl lists every member as synced, on each of them",
    async () => {
      const members = membersOf(world.fleet);
      const all = Object.fromEntries(members.map(({ clusterId }) => [clusterId, "synced"]));
      expect(Object.keys(all)).toHaveLength(3);
      for (const member of members) expect(await remoteClusters(member)).toEqual(all);
    },
    SCENARIO_MS,
  );

  it(
    "19.2 istioctl misses a cluster whose remote secret is gone, until a full run",
    async () => {
      const [reader, target] = membersOf(world.fleet);
      if (reader === undefined || target === undefined) throw new Error("there are no two members");
      const seen = async () => (await remoteClusters(reader))[target.clusterId];
      await istiod("delete", "secret", `istio-remote-secret-${target.clusterId}`);
      expect(await eventually(seen, (status) => status !== "synced")).toBeUndefined();
      expect((await sync(world.fleet)).status).toBe(200);
      expect(await eventually(seen, (status) => status === "synced")).toBe("synced");
    },
    SCENARIO_MS,
  );

  it(
    "19.3 istioctl asks istiod for its version, its proxies and its log levels",
    async () => {
      const version = await istioctl(first(), "version");
      expect(version).toContain(`control plane version: ${pin.release}`);
      expect(await istioctl(first(), "proxy-status")).toMatch(/^NAME\s+CLUSTER\s+ISTIOD/);
      expect(await istioctl(first(), "admin", "log")).toMatch(/^ads\s+ads debugging\s+info/m);
    },
    SCENARIO_MS,
  );

  it.each<Protocol>(["WebSocket", "SPDY"])(
    "19.4 kubectl forwards ports over %s, and says which nothing listens on",
    async (protocol) => {
      const forwarding = await forwardPorts(first(), protocol, [DEBUG_PORT, MONITORING_PORT, CLOSED_PORT]);
      const get = (port: number, path: string) =>
        fetch(`http://127.0.0.1:${forwarding.portOf(port)}${path}`, { signal: AbortSignal.timeout(5000) });
      try {
        const pages = Array.from({ length: 3 }, () => get(DEBUG_PORT, "/debug/clusterz"));
        for (const page of await Promise.all(pages)) expect(await page.json()).toHaveLength(3);
        expect(await (await get(MONITORING_PORT, "/version")).text()).toContain(pin.release);
        await expect(get(CLOSED_PORT, "/")).rejects.toThrow("fetch failed");
        expect(
          await eventually(
            async () => forwarding.said(),
            (said) => said !== "",
          ),
        ).toContain(`failed to connect to localhost:${CLOSED_PORT} inside the pod: connection refused`);
      } finally {
        await forwarding.stop();
      }
    },
    SCENARIO_MS,
  );

  it(
    "19.5 kubectl is told why it gets no shell",
    async () => {
      const why =
        "the sandbox runs istiod as a process, not in a container, so exec and attach are not there";
      await expect(istiod("exec", "deployment/istiod", "--", "ls")).rejects.toThrow(why);
      await expect(istiod("attach", "deployment/istiod")).rejects.toThrow(why);
      const unknown = istiod("exec", "deployment/istiod", "-c", "none", "--", "ls");
      await expect(unknown).rejects.toThrow("container none is not valid for pod");
    },
    SCENARIO_MS,
  );

  it(
    "19.6 kubectl shows as much of a log as was asked for",
    async () => {
      const whole = await logs();
      expect(whole.length).toBeGreaterThan(100);
      expect(await logs("--since=1h")).toHaveLength((await logs()).length);
      expect(await logs("--since-time=2099-01-01T00:00:00Z")).toEqual([]);
      const [line = "", ...others] = await logs("--tail=1", "--timestamps");
      expect(others).toEqual([]);
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z /);
      await expect(logs("--previous")).rejects.toThrow('previous terminated container "discovery"');
    },
    SCENARIO_MS,
  );
});
