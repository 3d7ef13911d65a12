import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { shellLine } from "../../sandbox/fleet/command-line.ts";
import { deployBundle } from "../../sandbox/fleet/deployment.ts";
import { syncMesh } from "../../sandbox/fleet/sync-mesh-client.ts";
import { type Bundle, functionProcess, readBundle } from "../../sandbox/google/functions/function-process.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { freePort } from "../../sandbox/os/free-port.ts";
import { releaseFiles } from "../../scripts/release/release.ts";
import type { Check, Diagnosis } from "../../shared/core/answers/check.ts";
import type { Plan } from "../../shared/core/answers/plan.ts";
import type { Status } from "../../shared/core/answers/status.ts";
import type { Summary } from "../../shared/core/answers/summary.ts";
import { place } from "./world/command-line.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, holdEvents, setFault, setLabels } from "./world/google.ts";
import { kubectl, list, secrets } from "./world/kubectl.ts";
import { eventually, expectForgotten, expectPaired, joined } from "./world/mesh.ts";

const world = useFleet({ members: 3 });

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * A process of its own, in a shell that has read what the sandbox has written for it, on a machine with
 * Google credentials of its own, which are not to be used.
 */
async function meshjoin(...args: readonly string[]): Promise<Ended> {
  return await meshjoinWith({}, ...args);
}

async function meshjoinWith(more: Record<string, string>, ...args: readonly string[]): Promise<Ended> {
  try {
    const { cwd, env } = await place(world.fleet);
    const options = { cwd, env: { ...env, ...more } };
    const { stdout, stderr } = await promisify(execFile)("sh", shellLine(world.fleet, args), options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what execFile rejects with
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** What would be done at that time, by a process whose clock is ahead of all others. */
async function planAt(time: number): Promise<Plan> {
  const shift = `const { now } = Date; globalThis.Date = class extends Date {
    constructor(...args) { super(...(args.length === 0 ? [globalThis.Date.now()] : args)); }
    static now() { return now() + ${time - Date.now()}; }
  };`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(shift)}`;
  const { cwd, env } = await place(world.fleet);
  const options = { cwd, env: { ...env, NODE_OPTIONS: preload } };
  const { stdout } = await promisify(execFile)(
    "sh",
    shellLine(world.fleet, ["plan", "--output", "json"]),
    options,
  );
  const planned: Plan = JSON.parse(stdout);
  return planned;
}

/** Before any other Node that the machine has. */
const pathWithNode = () => `${dirname(process.execPath)}:${process.env["PATH"]}`;

/**
 * As who uses a release has it: the tarball by npm, and the zip with the packages that its lockfile names.
 */
async function install(files: ReadonlyMap<string, Uint8Array | string>, directory: string) {
  for (const [name, content] of files) await writeFile(join(directory, name), content);
  const named = (pattern: RegExp) =>
    join(directory, [...files.keys()].find((name) => pattern.test(name)) ?? "");
  const env = {
    ...process.env,
    PATH: pathWithNode(),
    HOME: directory,
  };
  const options = ["--global", "--prefix", directory, "--offline", "--no-audit"];
  await promisify(execFile)("npm", ["install", ...options, named(/^meshjoin-\d.*\.tgz$/)], {
    cwd: directory,
    env,
  });
  const unzip = "import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
  await promisify(execFile)("python3", ["-c", unzip, named(/functions.*\.zip$/), join(directory, "zip")]);
  const bundle = readBundle(await deployBundle(join(directory, "zip"), join(directory, "deployed")));
  return { command: join(directory, "bin", "meshjoin"), bundle };
}

/** In a folder that has nothing of the work tree. */
async function released(command: string, args: readonly string[]): Promise<string> {
  const [flag = "", script = "", file = ""] = shellLine(world.fleet, []);
  const { env } = await place(world.fleet);
  const options = {
    cwd: dirname(command),
    env: { ...env, PATH: pathWithNode() },
  };
  return (await promisify(execFile)("sh", [flag, script, file, command, ...args], options)).stdout;
}

/** What the function sync-mesh of a bundle answers under the Functions Framework. */
async function statusOf(bundle: Bundle): Promise<Status> {
  const [flag = "", script = "", file = ""] = shellLine(world.fleet, []);
  const { project } = world.fleet.file();
  const port = await freePort();
  const {
    args = [],
    cwd,
    env,
  } = functionProcess("sync-mesh", bundle, {
    project,
    port,
    metadataHost: "",
    env: {},
  });
  const served = spawn("sh", [flag, script, file, process.execPath, ...args], { cwd, env, stdio: "ignore" });
  const ended = once(served, "exit");
  try {
    return await eventually(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the function answers
        return answer?.ok === true ? ((await answer.json()) as Status) : undefined;
      },
      (status) => status !== undefined,
    ).then((status) => status ?? Promise.reject(new Error("the released function does not answer")));
  } finally {
    served.kill();
    await ended;
  }
}

/** By its name, to be read again wherever its labels matter. */
function member(name: string) {
  const found = world.fleet.file().members.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the annotations of a remote secret say of its token, and what the token itself does. */
function grantOf(
  annotations: Readonly<Record<string, string>> = {},
  data: Readonly<Record<string, string>> = {},
) {
  const [file = ""] = Object.values(data);
  const claims = /token: [^.]+\.([^.]+)\./.exec(Buffer.from(file, "base64").toString())?.[1] ?? "";
  const { exp }: { exp: number } = JSON.parse(Buffer.from(claims, "base64url").toString());
  return {
    issued: Date.parse(annotations["meshjoin.dev/token-issued-at"] ?? ""),
    ends: Date.parse(annotations["meshjoin.dev/token-expires-at"] ?? ""),
    inToken: exp * 1000,
  };
}

const remoteSecrets = async (name: string) =>
  [...(await secrets(member(name))).keys()].filter((secret) => secret.startsWith("istio-remote-secret-"));

describe("the command line", () => {
  it(
    "12.1 shows a mesh that is whole, and finds it well",
    async () => {
      const shown = await meshjoin("status", "--output", "json");
      expect(shown).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^[^\n]+\n$/) });
      const { members, pairs }: Status = JSON.parse(shown.out);
      expect(members.map(({ clusterId }) => clusterId)).toEqual(
        membersOf(world.fleet)
          .map(({ clusterId }) => clusterId)
          .toSorted(),
      );
      expect(pairs.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "synced"));
      const examined = await meshjoin("doctor");
      expect(examined).toMatchObject({ code: 0, err: "" });
      expect(examined.out).toContain(world.fleet.accounts.developer);
      expect(examined.out).toContain("All is well.");
    },
    SCENARIO_MS,
  );

  it(
    "12.2 is shown the same by an installed release, as a command and as a function",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "meshjoin-released-"));
      try {
        const { command, bundle } = await install(
          await releaseFiles({ progress: () => undefined }),
          directory,
        );
        const version = await released(command, ["--version"]);
        expect(version).toMatch(/^meshjoin \S+-snapshot \(Istio [\d.]+\)\n$/);
        const shown: Status = JSON.parse(await released(command, ["status", "--output", "json"]));
        const served = await statusOf(bundle);
        for (const status of [shown, served]) {
          expect(status.version).toMatch(/-snapshot$/);
          expect(status.members.map(({ reachable }) => reachable)).toEqual([true, true, true]);
          expect(status.pairs.map((pair) => pair.status)).toEqual(Array.from({ length: 6 }, () => "synced"));
        }
        const { actions }: Plan = JSON.parse(await released(command, ["plan", "--output", "json"]));
        expect(actions).toEqual([]);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    SCENARIO_MS,
  );

  it(
    "12.3 renews from half of the life that the clusters granted on, which is two days though seven are asked for",
    async () => {
      const grants = [];
      for (const reader of membersOf(world.fleet)) {
        for (const [name, { metadata, data }] of await secrets(reader)) {
          if (name.startsWith("istio-remote-secret-")) grants.push(grantOf(metadata.annotations, data));
        }
      }
      expect(grants).toHaveLength(6);
      for (const { issued, ends, inToken } of grants) {
        expect(Math.abs(ends - issued - 48 * HOUR_MS)).toBeLessThan(MINUTE_MS);
        expect(inToken).toEqual(ends);
      }
      const first = Math.min(...grants.map(({ issued }) => issued));
      const last = Math.max(...grants.map(({ issued }) => issued));
      expect((await planAt(first + 23.9 * HOUR_MS)).actions).toEqual([]);
      // Half of 48 hours, and the fifth of them over which renewals are spread; of those due a reader makes
      // one at a time.
      const { actions } = await planAt(last + 33.7 * HOUR_MS);
      expect(actions.map(({ verb, findings }) => [verb, findings.map(({ reason }) => reason)])).toEqual(
        Array.from({ length: 3 }, () => ["update", ["TokenDue"]]),
      );
    },
    SCENARIO_MS,
  );

  it(
    "12.4 plans the repair of what somebody deleted, and makes it",
    async () => {
      const { clusterId } = member("mesh-2");
      const name = `istio-remote-secret-${clusterId}`;
      await kubectl(member("mesh-1"), "-n", "istio-system", "delete", "secret", name);
      const { actions }: Plan = JSON.parse((await meshjoin("plan", "-o", "json")).out);
      expect(actions).toMatchObject([
        { verb: "create", clusterId: member("mesh-1").clusterId, object: { kind: "Secret", name } },
      ]);
      const repaired = await meshjoin("sync");
      expect(repaired).toMatchObject({
        code: 0,
        err: expect.stringContaining(`remote secret for ${clusterId} created`),
      });
      await expectPaired(membersOf(world.fleet));
      const again = await meshjoin("sync", "--output", "json");
      const { outcome }: Summary = JSON.parse(again.out);
      expect([again.code, again.err, outcome]).toEqual([0, "", "unchanged"]);
    },
    SCENARIO_MS,
  );

  it(
    "12.5 takes a member out and brings it back, with no help of the functions, and leaves its other labels",
    async () => {
      const { fleet } = world;
      await holdEvents(fleet);
      await setLabels(fleet, member("mesh-3"), { ...MESH_LABEL, team: "shop" });
      const { clusterId, project, location } = member("mesh-3");

      expect(await meshjoin("leave", clusterId, "--yes")).toMatchObject({
        code: 0,
        out: expect.stringContaining("deleted"),
      });
      expect(member("mesh-3").labels).toEqual({ team: "shop" });
      expect(await remoteSecrets("mesh-3")).toEqual([]);
      await expectPaired(membersOf(fleet));
      expect(await remoteSecrets("mesh-1")).toHaveLength(1);

      const resource = `projects/${project}/locations/${location}/clusters/mesh-3`;
      expect(await meshjoin("join", "--label-only", resource)).toMatchObject({
        code: 0,
        out: expect.stringContaining("is now labelled"),
        err: "",
      });
      expect(member("mesh-3").labels).toEqual({ ...MESH_LABEL, team: "shop" });
      expect(await remoteSecrets("mesh-3")).toEqual([]);
      expect(await meshjoin("join", resource)).toMatchObject({
        code: 0,
        out: expect.stringContaining("created"),
        err: expect.stringContaining("is labelled already"),
      });
      expect(member("mesh-3").labels).toEqual({ ...MESH_LABEL, team: "shop" });
      expect(membersOf(fleet)).toHaveLength(3);
      await expectPaired(membersOf(fleet));
      await clearFaults(fleet);
    },
    SCENARIO_MS,
  );

  it(
    "12.6 takes out a cluster that has lost its label, and labels it again, which makes it a member",
    async () => {
      const { fleet } = world;
      const { clusterId } = member("mesh-3");
      // Otherwise the functions may be faster than the command.
      await holdEvents(fleet);
      await setLabels(fleet, member("mesh-3"), { team: "shop" });
      expect(await meshjoin("sync")).toMatchObject({ out: expect.stringContaining("MemberLost") });
      await expectPaired(fleet.file().members);
      expect(await meshjoin("leave", clusterId, "--yes")).toMatchObject({ code: 0 });
      await expectForgotten(fleet, member("mesh-3"));
      await clearFaults(fleet);
      const labelled = await meshjoin("label", clusterId, "--output", "json");
      expect(labelled).toMatchObject({ code: 0, err: "" });
      const label = { key: "mesh_id", value: MESH_LABEL.mesh_id };
      expect(JSON.parse(labelled.out)).toEqual({ clusterId, label, outcome: "updated" });
      expect(member("mesh-3").labels).toEqual({ ...MESH_LABEL, team: "shop" });
      expect(membersOf(fleet)).toHaveLength(3);
      await joined(fleet);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "12.7 opens the page of the function, and ends when it is told to",
    async () => {
      const url = world.fleet.file().functions["sync-mesh"] ?? "";
      const args = ["open", "--url", url, "--port", "0", "--output", "json"];
      const opened = spawn("sh", shellLine(world.fleet, args), {
        ...(await place(world.fleet)),
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(opened, "exit");
      try {
        const [line] = await once(createInterface(opened.stdout), "line");
        const page = await fetch(JSON.parse(line).url);
        expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
        const text = await page.text();
        for (const { clusterId } of membersOf(world.fleet)) expect(text).toContain(clusterId);
      } finally {
        opened.kill("SIGINT");
      }
      expect(await ended).toEqual([0, null]);
    },
    SCENARIO_MS,
  );

  it(
    "12.8 stops every write of the functions, says so, and lets them go on",
    async () => {
      const { fleet } = world;
      const [reader, target] = [member("mesh-1"), member("mesh-2")];
      const name = `istio-remote-secret-${target.clusterId}`;
      expect(await meshjoin("pause", "--yes")).toMatchObject({ code: 0 });
      await kubectl(reader, "-n", "istio-system", "delete", "secret", name);
      const paused = await syncMesh(fleet);
      expect(paused).toMatchObject({ outcome: "waiting", findings: [{ reason: "WritesPaused" }] });
      expect((await secrets(reader)).has(name)).toBe(false);
      expect((await meshjoin("status")).out).toContain("meshjoin resume");

      expect(await meshjoin("resume")).toMatchObject({ code: 0 });
      expect((await syncMesh(fleet)).outcome).toBe("created");
      await expectPaired(membersOf(fleet));
      const { runs, lately }: Status = JSON.parse((await meshjoin("status", "--output", "json")).out);
      expect(runs.full).toMatchObject({ outcome: expect.any(String) });
      expect(lately).toContainEqual(
        expect.objectContaining({
          clusterId: reader.clusterId,
          what: expect.stringMatching(/^1 remote secret was created$/),
        }),
      );
    },
    SCENARIO_MS,
  );

  it(
    "12.9 exits with what went wrong, and says it where it does not get into a result",
    async () => {
      const { fleet } = world;
      const misspelt = await meshjoin("join", "mesh-4");
      expect(misspelt).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringContaining(member("mesh-3").clusterId),
      });
      expect(await meshjoin("stauts")).toMatchObject({ code: 2, err: expect.stringContaining("status") });

      await setFault(fleet, { target: member("mesh-1").clusterId, kind: "refuse" });
      const examined = await meshjoin("doctor", "--output", "json");
      const { checks }: Diagnosis = JSON.parse(examined.out);
      expect(examined.code).toBe(1);
      expect(checks.filter(({ state }) => state !== "ok")).toMatchObject([
        {
          name: "member",
          state: "fault",
          clusterId: member("mesh-1").clusterId,
          cure: expect.stringContaining("--enable-dns-access"),
        },
        { name: "drains", state: "unknown", message: expect.stringContaining("2 of 3 members") },
      ]);
      expect(await meshjoin("sync")).toMatchObject({
        code: 3,
        out: expect.stringContaining("ApiServerUnreachable"),
      });
      await clearFaults(fleet);

      await holdEvents(fleet);
      for (const name of ["mesh-2", "mesh-3"]) await setLabels(fleet, member(name), {});
      expect(await meshjoin("sync")).toMatchObject({ code: 1, err: expect.stringContaining("--yes") });
      expect(await remoteSecrets("mesh-1")).toHaveLength(2);
      expect(await meshjoin("sync", "--yes")).toMatchObject({ code: 0 });
      expect(await remoteSecrets("mesh-1")).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "12.10 the preflight finds a project in order, whatever is planted, and what it may not read",
    async () => {
      const { fleet } = world;
      const { state, computeQuotas } = fleet;
      const { project } = fleet.file();
      const look = async (more: Record<string, string> = {}) => {
        const { code, out, err } = await meshjoinWith(more, "doctor", "--preflight", "--output", "json");
        expect(err).toBe("");
        const { checks }: Diagnosis = JSON.parse(out);
        return { code, found: checks.filter((check) => check.state !== "ok"), checks };
      };
      const named = ({ name, state: is }: Check) => `${name} ${is}`;

      const before = await look();
      expect(before.found.map(named)).toEqual(["services unknown", "identities unknown"]);
      expect([before.code, before.found[0]?.message]).toEqual([
        3,
        expect.stringContaining("34.118.224.0/20: no two collide now"),
      ]);
      const rooms = before.checks.filter(({ name }) => name === "room");
      expect(rooms.map(({ state: is, message }) => [is, message])).toEqual(
        Array.from({ length: 3 }, () => [
          "ok",
          "its nodes have room for 2 istiods, which reserve 0.5 CPU and 2 GiB each",
        ]),
      );

      // Labelled or not: scenarios before this one may have taken labels.
      const [first, second] = fleet.file().members;
      if (first === undefined || second === undefined) throw new Error("there are no two members");
      state.bill(project, undefined);
      state.disable(project, "pubsub.googleapis.com");
      state.revoke(project, "run.services.setIamPolicy");
      state.restrict(project, "run.allowedIngress", [{ values: { allowedValues: ["internal"] } }]);
      state.limit(project, "CpuAllocPerProjectRegion", [{ value: "4000" }]);
      await fillNode(first);
      await addService(second, "pay", "db");
      await addService(first, "shop", "web");
      const planted = await look();
      expect(planted.code).toBe(1);
      const faults = planted.found.filter((check) => check.state === "fault");
      expect(faults.map(({ name, clusterId, cure = "" }) => [name, clusterId, cure])).toEqual([
        ["billing", undefined, `gcloud billing projects link ${project} --billing-account=ACCOUNT`],
        ["apis", undefined, `gcloud services enable pubsub.googleapis.com --project=${project}`],
        ["permissions", undefined, expect.stringContaining("--role=roles/run.admin")],
        ["policies", undefined, expect.stringContaining("ALLOW_INTERNAL_ONLY")],
        ["quotas", undefined, expect.stringContaining("apply with -var max_instances=4, or ask")],
        [
          "room",
          first.clusterId,
          expect.stringContaining(`node-pools create istiod --cluster=${first.name}`),
        ],
        ["services", first.clusterId, expect.stringContaining("create service clusterip db --namespace=pay")],
      ]);

      state.bill(project, "billingAccounts/012345-567890-ABCDEF");
      state.enable(project, "pubsub.googleapis.com");
      state.grant(project, "run.services.setIamPolicy");
      state.limit(project, "CpuAllocPerProjectRegion", [{ value: "20000" }]);
      await kubectl(first, "-n", "glutton", "delete", "pod", "app", "--grace-period=0", "--force");
      await kubectl(first, "delete", "namespace", "shop", "glutton", "--wait=false");
      await kubectl(second, "delete", "namespace", "pay", "--wait=false");
      for (const api of ["cloudbilling", "orgpolicy"]) state.disable(project, `${api}.googleapis.com`);
      state.revoke(project, "cloudquotas.quotas.get");
      state.revoke(project, "compute.regions.get");
      await setFault(fleet, { target: second.clusterId, kind: "refuse" });
      const unread = await look();
      expect(unread.found.map(named).toSorted()).toEqual([
        "billing unknown",
        "identities unknown",
        "policies unknown",
        "quotas unknown",
        "room unknown",
        "services unknown",
      ]);
      await clearFaults(fleet);
      const cures = (await look({ MESHJOIN_ALLOW: "none" })).found.map(({ cure }) => cure);
      for (const words of [
        "enable cloudbilling.",
        "enable orgpolicy.",
        "roles/cloudquotas.viewer",
        "roles/compute.viewer",
      ]) {
        expect(cures).toContainEqual(expect.stringContaining(words));
      }

      state.grant(project, "compute.regions.get");
      computeQuotas.set(project, "europe-west1", { metric: "SSD_TOTAL_GB", limit: 500, usage: 450 });
      const empty = await look({ MESHJOIN_ALLOW: "none" });
      expect(empty.found.find((check) => check.state === "fault")).toMatchObject({
        name: "quotas",
        message: `${project}: a first cluster (2 nodes e2-standard-2) needs 100 GB, and SSD_TOTAL_GB in europe-west1 is 500, of which 450 are used`,
      });
    },
    SCENARIO_MS,
  );
});

/** Of its node there is left what one istiod reserves, and not what two do. */
async function fillNode(on: FleetMember): Promise<void> {
  const [node] = await list(on, "nodes");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a core/v1 Node
  const status = node?.["status"] as { allocatable?: { cpu?: string } } | undefined;
  const cpu = `${Number(status?.allocatable?.cpu) * 1000 - 700}m`;
  await kubectl(on, "create", "namespace", "glutton");
  const container = { name: "app", image: "example/app", resources: { requests: { cpu } } };
  const overrides = `--overrides=${JSON.stringify({ spec: { containers: [container] } })}`;
  await eventually(
    () => kubectl(on, "-n", "glutton", "get", "serviceaccount", "default", "--ignore-not-found"),
    (out) => out !== "",
  );
  await kubectl(on, "-n", "glutton", "run", "app", "--image=example/app", overrides);
  await eventually(
    () => kubectl(on, "-n", "glutton", "get", "pod", "app", "-o", "jsonpath={.spec.nodeName}"),
    (bound) => bound !== "",
  );
}

async function addService(on: FleetMember, namespace: string, name: string): Promise<void> {
  await kubectl(on, "create", "namespace", namespace);
  const flags = ["--tcp=5432:5432", "--clusterip=34.118.230.9"];
  await kubectl(on, "-n", namespace, "create", "service", "clusterip", name, ...flags);
}
