import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "@jest/globals";
import { shellLine } from "../../sandbox/fleet/command-line.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import { payloadOf } from "../support/pki/gen.ts";
import { cacertsFiles } from "./world/by-hand.ts";
import { place } from "./world/command-line.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault, setLabels } from "./world/google.ts";
import { kubectl, secrets } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { status, sync } from "./world/sync-mesh.ts";

const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  // Only full runs keep probes: the scenarios of `meshjoin check` come before the first one.
  env: {
    MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2",
    MESHJOIN_LEAVE_GRACE: "0s",
    MESHJOIN_PROBE: "on",
  },
});
/** `meshjoin check` in a process of its own. */
async function startCheck(...args: readonly string[]): Promise<ChildProcess> {
  const { fleet } = world;
  const options = { ...(await place(fleet)), stdio: ["ignore", "pipe", "pipe"] } satisfies SpawnOptions;
  return spawn("sh", shellLine(fleet, ["check", ...args]), options);
}

interface Checked {
  readonly code: number | null;
  /** `READER TARGET` by name → state, with its cause where there is one. */
  readonly pairs: Readonly<Record<string, string>>;
  readonly latencies: readonly number[];
}

async function check(...args: readonly string[]): Promise<Checked> {
  const running = await startCheck("-o", "json", ...args);
  const ended = once(running, "exit");
  const [out, err] = await Promise.all([text(running.stdout!), text(running.stderr!)]);
  const [code] = await ended;
  if (out === "") throw new Error(`check answers nothing: ${err}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command line's own JSON
  const { pairs } = JSON.parse(out) as {
    pairs: {
      reader: string;
      target: string;
      route: string;
      probe: { state: string; cause?: string; latencyMs?: number };
    }[];
  };
  const nameOf = (id: string) => membersOf(world.fleet).find(({ clusterId }) => clusterId === id)?.name ?? id;
  return {
    code,
    pairs: Object.fromEntries(
      pairs.map(({ reader, target, route, probe: { state, cause } }) => [
        `${nameOf(reader)} ${nameOf(target)}`,
        [route, state, cause].filter((word) => word !== undefined).join(" "),
      ]),
    ),
    latencies: pairs.flatMap(({ probe }) => probe.latencyMs ?? []),
  };
}

/** What a check has in the cluster. */
async function traces(member: FleetMember): Promise<string[]> {
  const namespaces = await kubectl(member, "get", "namespaces", "-o", "name");
  const marks = [...(await secrets(member)).keys()].filter((name) => name.startsWith("meshjoin-probe"));
  return [...(namespaces.includes("namespace/meshjoin-probe") ? ["namespace"] : []), ...marks];
}

async function expectNothingLeft(): Promise<void> {
  for (const member of membersOf(world.fleet))
    expect(
      await eventually(
        () => traces(member),
        (left) => left.length === 0,
      ),
    ).toEqual([]);
}

/** Starts a check that keeps waiting, and answers once its probes are in the clusters. */
async function checkUnderWay(): Promise<{ running: ChildProcess; ended: Promise<unknown[]> }> {
  const members = membersOf(world.fleet);
  const running = await startCheck("--timeout", "5m");
  const ended = once(running, "exit");
  await eventually(
    () => Promise.all(members.map(traces)),
    (all) => all.every((left) => left.includes("namespace")),
  );
  return { running, ended };
}

/** A full run by a person whose configuration keeps no probes. */
async function syncWithout(): Promise<void> {
  const { fleet } = world;
  const [script = "", command = "", ...args] = shellLine(fleet, ["sync"]);
  const line = [script, command.replace("exec", "MESHJOIN_PROBE=off exec"), ...args];
  const running = spawn("sh", line, { ...(await place(fleet)), stdio: ["ignore", "ignore", "pipe"] });
  const [err, [code]] = await Promise.all([text(running.stderr), once(running, "exit")]);
  if (code !== 0) throw new Error(`meshjoin sync ended with ${code}: ${err}`);
}

/** As the function's status has them: `READER TARGET` by name → the answer of the probe. */
async function answers(): Promise<Readonly<Record<string, string>>> {
  const { members, pairs } = await status(world.fleet);
  const nameOf = (id: string) => members.find(({ clusterId }) => clusterId === id)?.name ?? id;
  return Object.fromEntries(
    pairs.map(({ reader, target, probe: { state, cause } }) => [
      `${nameOf(reader)} ${nameOf(target)}`,
      [state, ...(cause === undefined ? [] : [cause])].join(" "),
    ]),
  );
}

const ISTIO = ["-n", "istio-system"] as const;
const GATEWAY_PODS = "gateway.networking.k8s.io/gateway-name=meshjoin-eastwest";
const base64 = (pem: string) => Buffer.from(pem).toString("base64");

/** Puts these files into `cacerts`, and starts istiod, the gateway and the probe anew with them. */
async function startAnewWith(member: FleetMember, data: Readonly<Record<string, string>>): Promise<void> {
  const patch = JSON.stringify({ data });
  await kubectl(member, ...ISTIO, "patch", "secret", "cacerts", "--type=merge", "-p", patch);
  await kubectl(member, ...ISTIO, "rollout", "restart", "deployment/istiod");
  await kubectl(member, ...ISTIO, "rollout", "status", "deployment/istiod", "--timeout=60s");
  await kubectl(member, ...ISTIO, "delete", "pods", "-l", GATEWAY_PODS);
  await kubectl(member, "-n", "meshjoin-probe", "delete", "pods", "--all");
}

const KEPT = ["namespace", "meshjoin-probe"];
const BOTH_PASS = { "mesh-1 mesh-2": "gateway passed", "mesh-2 mesh-1": "gateway passed" };

describe("a check of two networks", () => {
  it(
    "22.1 passes through the gateways, by the certificates of both clusters, and leaves nothing behind",
    async () => {
      const checked = await check();
      expect(checked).toMatchObject({ code: 0, pairs: BOTH_PASS });
      expect(checked.latencies).toHaveLength(2);
      await expectNothingLeft();
    },
    SCENARIO_MS,
  );

  it(
    "22.2 names the gateway that a firewall keeps one side from, and passes the other way",
    async () => {
      const { fleet } = world;
      const [first, second] = membersOf(fleet);
      const wall = { from: first?.clusterId ?? "", to: second?.clusterId ?? "" };
      await setFault(fleet, { target: "firewall", kind: "firewall", ...wall });
      expect(await check()).toMatchObject({
        code: 1,
        pairs: { ...BOTH_PASS, "mesh-1 mesh-2": "gateway failed GatewaySilent" },
      });
      await clearFaults(fleet);
      expect(await check()).toMatchObject({ code: 0, pairs: BOTH_PASS });
    },
    SCENARIO_MS,
  );

  it(
    "22.3 names a policy of another owner that refuses requests",
    async () => {
      const [, second] = membersOf(world.fleet);
      if (second === undefined) throw new Error("the fleet lacks a member");
      const policy = join(dirname(world.fleet.file().logDir), "policy.json");
      await writeFile(
        policy,
        JSON.stringify({
          apiVersion: "security.istio.io/v1",
          kind: "AuthorizationPolicy",
          metadata: { name: "nobody", namespace: "istio-system" },
          spec: { action: "DENY", rules: [{ from: [{ source: { principals: ["*"] } }] }] },
        }),
      );
      await kubectl(second, "apply", "-f", policy);
      expect(await check()).toMatchObject({
        code: 1,
        pairs: { ...BOTH_PASS, "mesh-1 mesh-2": "gateway failed RefusedByPolicy" },
      });
      await kubectl(second, "delete", "-f", policy);
    },
    SCENARIO_MS,
  );
});

describe("a check where more is wrong", () => {
  it(
    "22.4 names a remote secret that is gone, and a gateway without a process",
    async () => {
      const [first, second] = membersOf(world.fleet);
      if (first === undefined || second === undefined) throw new Error("the fleet lacks a member");
      await kubectl(first, ...ISTIO, "delete", "secret", `istio-remote-secret-${second.clusterId}`);
      await kubectl(first, ...ISTIO, "delete", "hpa", "-l", GATEWAY_PODS);
      await kubectl(first, ...ISTIO, "scale", "deployment", "-l", GATEWAY_PODS, "--replicas=0");
      expect(await check()).toMatchObject({
        code: 1,
        pairs: {
          "mesh-1 mesh-2": "gateway failed NoEndpoint",
          "mesh-2 mesh-1": "gateway failed GatewayClosed",
        },
      });
      await kubectl(first, ...ISTIO, "scale", "deployment", "-l", GATEWAY_PODS, "--replicas=2");
      await syncWithout();
      expect(await check()).toMatchObject({ code: 0, pairs: BOTH_PASS });
    },
    SCENARIO_MS,
  );
});

describe("a check that does not come to its end", () => {
  it(
    "22.5 takes its probes away when a person interrupts it",
    async () => {
      const { running, ended } = await checkUnderWay();
      running.kill("SIGINT");
      await ended;
      await expectNothingLeft();
    },
    SCENARIO_MS,
  );

  it(
    "22.6 leaves its probes when it is killed, until a full run after the time for which it wanted them",
    async () => {
      const { fleet } = world;
      const members = membersOf(fleet);
      const { running, ended } = await checkUnderWay();
      running.kill("SIGKILL");
      await ended;
      await syncWithout();
      for (const member of members) {
        const left = await traces(member);
        expect(left).toEqual(["namespace", expect.stringMatching(/^meshjoin-probe-/)]);
        const [, mark = ""] = left;
        const past = "meshjoin.dev/probe-until=2026-01-01T00:00:00Z";
        await kubectl(member, "-n", "istio-system", "annotate", "--overwrite", "secret", mark, past);
      }
      await syncWithout();
      await expectNothingLeft();
    },
    SCENARIO_MS,
  );
});

describe("probes that the configuration keeps", () => {
  it(
    "22.7 tell each full run, and the status, whether requests pass between synced members",
    async () => {
      const { fleet } = world;
      const [first, second] = membersOf(fleet);
      const put = await sync(fleet);
      expect(put.body.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
      for (const member of membersOf(fleet)) expect(await traces(member)).toEqual(KEPT);
      expect(await answers()).toEqual({ "mesh-1 mesh-2": "passed", "mesh-2 mesh-1": "passed" });
      const quiet = await sync(fleet);
      expect([quiet.body.outcome, quiet.body.findings]).toEqual(["unchanged", []]);
      const wall = { from: first?.clusterId ?? "", to: second?.clusterId ?? "" };
      await setFault(fleet, { target: "firewall", kind: "firewall", ...wall });
      expect((await sync(fleet)).body.findings).toEqual([
        expect.objectContaining({
          reason: "RequestsFail",
          severity: "error",
          clusterId: first?.clusterId,
          message: expect.stringContaining(second?.clusterId ?? "?"),
        }),
      ]);
      expect(await answers()).toEqual({
        "mesh-1 mesh-2": "failed GatewaySilent",
        "mesh-2 mesh-1": "passed",
      });
      await clearFaults(fleet);
      expect((await sync(fleet)).body.findings).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "22.8 name a member whose CA is of another root",
    async () => {
      const [, second] = membersOf(world.fleet);
      if (second === undefined) throw new Error("the fleet lacks a member");
      const before = (await secrets(second)).get("cacerts")?.data ?? {};
      const elsewhere = payloadOf(await makeRoot({ organization: "elsewhere", now: new Date() }));
      const files = Object.entries(await cacertsFiles(elsewhere));
      await startAnewWith(second, Object.fromEntries(files.map(([name, pem]) => [name, base64(pem)])));
      expect(
        await eventually(answers, (all) => all["mesh-1 mesh-2"]?.includes("NotTrusted") === true),
      ).toMatchObject({
        "mesh-1 mesh-2": "failed TargetNotTrusted",
      });
      await startAnewWith(second, before);
      const well = { "mesh-1 mesh-2": "passed", "mesh-2 mesh-1": "passed" };
      expect(
        await eventually(answers, (all) => Object.values(all).every((each) => each === "passed")),
      ).toEqual(well);
    },
    SCENARIO_MS,
  );

  it(
    "22.9 are made again after a person has deleted one, and go with the cluster that leaves",
    async () => {
      const { fleet } = world;
      const [first, second] = membersOf(fleet);
      if (first === undefined || second === undefined) throw new Error("the fleet lacks a member");
      await kubectl(first, "delete", "namespace", "meshjoin-probe");
      expect((await answers())["mesh-1 mesh-2"]).toBe("unknown NotAsked");
      await sync(fleet);
      expect(await answers()).toEqual({ "mesh-1 mesh-2": "passed", "mesh-2 mesh-1": "passed" });
      await setLabels(fleet, second, {});
      await sync(fleet);
      const left = await eventually(
        () => traces(second),
        (all) => all.length === 0,
      );
      expect([left, await traces(first)]).toEqual([[], KEPT]);
    },
    SCENARIO_MS,
  );
});
