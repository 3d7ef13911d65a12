import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { ROOT } from "../../scripts/paths.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import type { Entry } from "../support/logging/query.ts";
import { rootKeyRead } from "../support/logging/root-key-read.ts";
import { payloadOf } from "../support/pki/gen.ts";
import { readCommands } from "../support/runbook/commands.ts";
import { UNTRIED } from "../support/runbook/untried.ts";
import { startCloudLogging } from "./world/cloud-logging.ts";
import { giveUpOrder, startPubSubRest } from "./world/cloud-pubsub.ts";
import { deploy } from "./world/deployment.ts";
import { type Desk, meshjoinOfClone, sitDown } from "./world/desk.ts";
import { functionLog } from "./world/events.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import {
  aliasRoots,
  clearFaults,
  holdEvents,
  rootAnnotations,
  rootVersions,
  setFault,
  setLabels,
} from "./world/google.ts";
import { dieAtStart } from "./world/instance.ts";
import { kubectl, secrets } from "./world/kubectl.ts";
import { loggedEntries } from "./world/logged.ts";
import { eventually, expectForgotten, expectPaired } from "./world/mesh.ts";
import { missingPrograms, openPage } from "./world/page.ts";
import { serials, tickUntil } from "./world/rotation.ts";
import { status, sync } from "./world/sync-mesh.ts";

/** A stage of a root rotation lasts as long as a certificate of a workload may live. */
const SETTINGS = { WORKLOAD_TTL: "2s", CLOCK_SKEW: "2s", INTERMEDIATE_TTL: "1h" };
const DAY_MS = 86_400_000;

const JOIN = "A join failed or hangs";
const LOST = "A member has lost its label";
const PAIR = "A pair is not synced";
const PLANE = "A control plane is away";
const RENEWAL = "A certificate or token is past its renewal time";
const ROTATION = "A rotation is stuck";
const LETTERS = "Dead letters are waiting";
const FINDING = "A finding needs a person";
const FUNCTION = "A function fails";
const FULL_RUN = "No full run for half an hour";
const ROOT_KEY = "Another identity has read a root key";
const RESPONSE = "How to respond";

const world = useFleet({
  members: 2,
  env: Object.fromEntries(Object.entries(SETTINGS).map(([name, value]) => [`MESHJOIN_${name}`, value])),
});

const read = (name: string) => readCommands(readFileSync(join(ROOT, "docs", name), "utf8"));
const commands = [
  ...read("runbook.md"),
  ...read("security.md").filter(({ section }) => section === RESPONSE),
];
const missing = missingPrograms(commands);
/** What Secret Manager has logged. */
const audited: Entry[] = [];
let desk: Desk;
const { expectCommand, setVariables, untried } = openPage(commands, () => desk);

/** The directory of a deployment, or of another thing that a person would have at hand. */
const folder = (name: string) => join(dirname(world.fleet.file().logDir), name);
const inIstio = (member: FleetMember, ...args: string[]) => kubectl(member, "-n", "istio-system", ...args);

/** By its name, with what it is labelled with now. */
function named(name: string): FleetMember {
  const found = world.fleet.file().members.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** Members that have another intermediate afterwards. */
async function replacedDuring(work: () => Promise<unknown>): Promise<string[]> {
  const before = await serials(world.fleet);
  await work();
  const after = await serials(world.fleet);
  return Object.keys(after).filter((id) => after[id] !== before[id]);
}

/** As the person on call begins at night: with the variables of the page. */
beforeAll(async () => {
  const { fleet } = world;
  const logging = await startCloudLogging(async () => [...(await loggedEntries(fleet)), ...audited]);
  const pubsub = await startPubSubRest(fleet);
  fleet.beforeStop(async () => await Promise.all([logging.close(), pubsub.close()]));
  desk = await sitDown(fleet, { LOGGING: logging.url, PUBSUB: pubsub.url });
  await desk.set(await meshjoinOfClone(fleet));
  if (!["terraform", "jq"].some((program) => missing.includes(program))) {
    await deploy(folder("deployment"), fleet.file(), SETTINGS);
    await desk.set("unset MESHJOIN_MESH_ID MESHJOIN_PROJECTS MESHJOIN_ROOT_PROJECT MESHJOIN_WORKLOAD_TTL");
  }
  await setVariables("", /^eval /, { "<your deployment>": folder("deployment") });
  await setVariables("", /^PROJECT=/, { "<region of the functions>": "europe-west1" });
  await setVariables("", /^export /);
}, SCENARIO_MS);

afterEach(() => clearFaults(world.fleet));

describe("a command of the runbook", () => {
  for (const program of missing) {
    it(`that needs ${program} is not run here, for want of it`, () => {
      expect(spawnSync(program).error).toMatchObject({ code: "ENOENT" });
    });
  }

  it(
    "15.1 finds all well before anything has happened",
    async () => {
      await expectCommand("", /doctor$/, { shows: ["mesh sandbox", "All is well."] });
      const { name, location, project } = named("mesh-1");
      const values = { "<name>": name, "<location>": location, "<project of the cluster>": project };
      await expectCommand("", /get-credentials/, {
        values,
        shows: [`kubeconfig entry generated for ${name}`],
      });
    },
    SCENARIO_MS,
  );

  it(
    "15.2 shows why a join hangs, and completes it",
    async () => {
      const { fleet } = world;
      const late = await fleet.createCluster("late", { labels: {} });
      await setFault(fleet, { target: late.clusterId, kind: "refuse" });
      await setLabels(fleet, late, MESH_LABEL);
      const hangs = ({ message, code }: { readonly message?: string; readonly code?: string }) =>
        message === "event is delivered again" && code === "JoinIncomplete";
      const hanging = async () => (await functionLog(fleet)).some(hangs);
      expect(await eventually(hanging, Boolean)).toBe(true);

      const logged = ["ApiServerUnreachable", "event is delivered again", "JoinIncomplete", late.clusterId];
      await Promise.all([
        expectCommand(JOIN, /^gcloud logging read/, { shows: logged }),
        expectCommand(JOIN, /status$/, { shows: [/^late +unreachable/m, "ApiServerUnreachable"] }),
        expectCommand("", /doctor$/, { code: 1, shows: [/FAULT +member +\S+-late:/] }),
      ]);

      await clearFaults(fleet);
      await expectCommand(JOIN, /sync --cluster/, { values: { CLUSTER: late.clusterId } });
      await expectPaired(membersOf(fleet));
      expect(membersOf(fleet)).toHaveLength(3);
      const values = { "<member>": late.clusterId };
      await expectCommand(JOIN, /describe pods/, { values, shows: [/^Status: +Running$/m] });
    },
    SCENARIO_MS,
  );

  it(
    "15.3 shows why a pair is not synced, and gives it another token",
    async () => {
      const { fleet } = world;
      const [reader, target] = [named("mesh-1"), named("mesh-2")];
      const name = `istio-remote-secret-${target.clusterId}`;
      const kubeconfig = (await secrets(reader)).get(name)?.data?.[target.clusterId] ?? "";
      const revoked = Buffer.from(kubeconfig, "base64")
        .toString()
        .replace(/token: .+/, "token: revoked");
      const data = { [target.clusterId]: Buffer.from(revoked).toString("base64") };
      await inIstio(reader, "patch", "secret", name, "--type=merge", "-p", JSON.stringify({ data }));

      const unsynced = async () => (await status(fleet)).pairs.filter((pair) => pair.status !== "synced");
      expect(await eventually(unsynced, (pairs) => pairs.length > 0)).not.toEqual([]);
      const pair = `{"reader":"${reader.clusterId}","target":"${target.clusterId}","pod":"istiod-`;
      await Promise.all([
        expectCommand(PAIR, /status$/, {
          shows: [new RegExp(`NOT SYNCED.*\\n\\w+ +${reader.name} +${target.name}`)],
        }),
        expectCommand(PAIR, /--output json/, { shows: [pair] }),
      ]);
      const logged = () => inIstio(reader, "logs", "deploy/istiod");
      expect(await eventually(logged, (log) => log.includes("Unauthorized"))).toContain("Unauthorized");
      const values = { "<member>": reader.clusterId };
      await expectCommand(PAIR, / logs /, {
        values,
        shows: [`${target.clusterId}: failed to list`, "Unauthorized"],
      });

      await expectCommand(PAIR, /^meshjoin sync$/, { shows: ["Outcome: updated"] });
      await expectPaired(membersOf(fleet));

      const pods = () => inIstio(reader, "get", "pods", "-l", "app=istiod", "-o", "name");
      const before = await pods();
      await expectCommand(PAIR, /rollout restart/, { values });
      await inIstio(reader, "rollout", "status", "deployment/istiod", "--timeout=60s");
      expect(await pods()).not.toEqual(before);
      await fleet.waitUntilSynced();
    },
    SCENARIO_MS,
  );

  it(
    "15.4 names a token that nothing renews, and what is in the way; begins a rotation to a root of one's own",
    async () => {
      const { fleet } = world;
      const [reader, target] = [named("mesh-1"), named("mesh-2")];
      const name = `istio-remote-secret-${target.clusterId}`;
      const now = Date.now();
      const at = (days: number) => new Date(now + days * DAY_MS).toISOString();
      const dates = [`meshjoin.dev/token-issued-at=${at(-6)}`, `meshjoin.dev/token-expires-at=${at(1)}`];
      await inIstio(reader, "annotate", "secret", name, "--overwrite", ...dates);
      await inIstio(reader, "patch", "secret", name, "--type=merge", "-p", `{"immutable":true}`);
      await sync(fleet);

      await Promise.all([
        expectCommand(RENEWAL, /status$/, { shows: [at(1).slice(0, "2026-03-01".length)] }),
        expectCommand(RENEWAL, /^gcloud logging read/, {
          shows: [/^TokenExpiring the token .+: find the cause/m],
        }),
      ]);
      await expectCommand(RENEWAL, /^meshjoin sync$/, { code: 1, shows: ["TokenExpiring", "immutable"] });
      await inIstio(reader, "delete", "secret", name);
      await sync(fleet);
      await expectPaired(membersOf(fleet));
      const renewed = (await secrets(reader)).get(name)?.metadata.annotations;
      expect(Date.parse(renewed?.["meshjoin.dev/token-expires-at"] ?? "")).toBeGreaterThan(
        Date.parse(at(1.5)),
      );

      const { clusterId } = reader;
      const rotate = () => expectCommand(RENEWAL, /rotate --cluster/, { values: { CLUSTER: clusterId } });
      expect(await replacedDuring(rotate)).toEqual([clusterId]);

      const own = payloadOf(await makeRoot({ organization: "our own", now: new Date() }));
      await writeFile(folder("own.pem"), own, { mode: 0o600 });
      const values = { FILE: folder("own.pem") };
      await expectCommand(RENEWAL, /root import/, { values, shows: ["idle → distribute"] });
      expect(await rootVersions(fleet)).toEqual({ 1: true, 2: true });
    },
    SCENARIO_MS,
  );

  it(
    "15.5 takes a rotation back, begins another, shows what holds it up, and has it go on without that",
    async () => {
      const { fleet } = world;
      await expectCommand(ROTATION, /root abort/, { shows: ["distribute → retire"] });
      expect(await tickUntil(fleet, "idle")).toBe("idle");
      expect(await rootVersions(fleet)).toEqual({ 1: true, 2: false });
      await expectCommand(ROTATION, /"tick"/, { shows: [/^\d{4}-\d\d-\d\dT\S+Z\s+\w+$/m] });
      await expectCommand(ROTATION, /severity>=WARNING/);
      await expectCommand(RENEWAL, /root rotate$/, { shows: ["idle → distribute"] });

      const late = named("late");
      const held = [`${late.clusterId} cannot be reached`];
      await setFault(fleet, { target: late.clusterId, kind: "refuse" });
      await Promise.all([
        expectCommand(ROTATION, /root status/, { shows: held }),
        expectCommand(ROTATION, /^meshjoin status$/, { shows: held }),
      ]);
      await expectCommand(ROTATION, /root pause/);
      expect(await rootAnnotations(fleet)).toHaveProperty(["meshjoin.dev_paused"]);
      await expectCommand(ROTATION, /root resume/);
      expect(await rootAnnotations(fleet)).not.toHaveProperty(["meshjoin.dev_paused"]);
      await expectCommand(ROTATION, /root advance/, { code: 1, shows: held });

      await expectCommand(ROTATION, /leave CLUSTER/, { values: { CLUSTER: late.clusterId } });
      await clearFaults(fleet);
      await expectForgotten(fleet, late);
      const over = async () => {
        const { waitingFor, until } = (await status(fleet)).rotation;
        return waitingFor.length === 0 && Date.parse(until ?? "") < Date.now();
      };
      expect(await eventually(over, Boolean)).toBe(true);
      await expectCommand(ROTATION, /root advance/, { shows: ["distribute → switch"] });
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "15.6 shows dead letters, gives a lost order anew, and empties their subscription",
    async () => {
      const { fleet } = world;
      const order = { kind: "intermediate", scope: "mesh", reason: "manual" };
      await giveUpOrder(fleet, order);
      const shows = ["rotation-push", JSON.stringify(JSON.stringify(order))];
      await expectCommand(LETTERS, /subscriptions pull/, { shows });
      await giveUpOrder(fleet, order);

      const rotate = () => expectCommand(LETTERS, /^meshjoin rotate$/, { shows: ["Outcome: updated"] });
      expect(await replacedDuring(rotate)).toHaveLength(membersOf(fleet).length);
      await expectCommand(LETTERS, /subscriptions seek/);
      await expectCommand(LETTERS, /subscriptions pull/, { hides: ["rotation-push"] });
    },
    SCENARIO_MS,
  );

  it(
    "15.7 has the functions replace every intermediate",
    async () => {
      const { fleet } = world;
      const before = await serials(fleet);
      if ((await expectCommand("", /topics publish/, { shows: ["messageIds"] })) === "") return;
      const kept = async () => {
        const now = await serials(fleet);
        return Object.keys(before).filter((id) => now[id] === before[id]);
      };
      expect(await eventually(kept, ({ length }) => length === 0)).toEqual([]);
      await expectPaired(membersOf(fleet));
    },
    SCENARIO_MS,
  );

  it(
    "15.8 answers the theft of a token and of an intermediate",
    async () => {
      const { fleet } = world;
      const [reader, target] = [named("mesh-1"), named("mesh-2")];
      const name = `meshjoin-reader-${reader.clusterId}`;
      const stolen = (await secrets(target)).get(name)?.metadata.uid;
      const values = { "<member>": target.clusterId, "<cluster ID of the reader>": reader.clusterId };
      await expectCommand(RESPONSE, /delete secret/, { values });
      await expectCommand(RESPONSE, /^meshjoin sync$/);
      expect((await secrets(target)).get(name)?.metadata.uid).not.toBe(stolen);
      await fleet.waitUntilSynced();

      const stolenToo = { values: { CLUSTER: target.clusterId }, shows: ["StolenIntermediateTrusted"] };
      const rotate = () => expectCommand(RESPONSE, /--compromised/, stolenToo);
      expect(await replacedDuring(rotate)).toEqual([target.clusterId]);
    },
    SCENARIO_MS,
  );

  it(
    "15.9 says why functions fail, with what mends it",
    async () => {
      const { fleet } = world;
      const { project, meshId } = fleet.file();
      const env = { MESHJOIN_MESH_ID: meshId, MESHJOIN_PROJECTS: project, MESHJOIN_TOKEN_TTL: "soon" };
      expect(await dieAtStart(fleet, "sync-mesh", env)).toMatchObject({ code: 1 });
      await aliasRoots(fleet, { previous: "1" });
      expect(await sync(fleet)).toMatchObject({ status: 500 });

      const shows = [/"text": ".*MESHJOIN_TOKEN_TTL is \\"soon\\"/, `"code": "NoSigningRoot"`];
      const [told] = await Promise.all([
        expectCommand(FUNCTION, /doctor$/, { code: 1, shows: ["FAULT  root"] }),
        expectCommand(FUNCTION, /^gcloud logging read/, { shows }),
        expectCommand(FUNCTION, /root status/, { shows: [/^ +3 +- +enabled\b/m] }),
      ]);
      const cure = /cure: set it: (?<command>.+)$/m.exec(told)?.groups?.["command"] ?? "";
      expect(cure).toMatch(/^gcloud secrets update .*=signing=VERSION,previous=1$/);
      if (missing.includes("gcloud")) await aliasRoots(fleet, { signing: "3", previous: "1" });
      else await desk.run(cure.replace("VERSION", "3"));
      expect(await sync(fleet)).toMatchObject({ status: 200 });
    },
    SCENARIO_MS,
  );

  it("15.10 names who has read a root key, and not the signer", async () => {
    const { meshId } = world.fleet.file();
    const { signer, developer } = world.fleet.accounts;
    audited.push(rootKeyRead(signer, meshId), rootKeyRead(developer, meshId));
    await expectCommand(ROOT_KEY, /^gcloud logging read/, { shows: [developer], hides: [signer] });
  });

  it(
    "15.11 asks about a mass leave, and makes it; what the configuration leaves out leaves by that name alone",
    async () => {
      const { fleet } = world;
      await setLabels(fleet, named("late"), MESH_LABEL);
      await fleet.waitUntilSynced();
      await holdEvents(fleet);
      await desk.set("export MESHJOIN_ALLOW='mesh-*'");
      await expectCommand(FINDING, /sync --confirm NotConfigured/, { shows: ["deleted"] });
      await desk.set("unset MESHJOIN_ALLOW");
      await expectForgotten(fleet, named("late"));
      await sync(fleet);
      await expectPaired(membersOf(fleet));
      const [stays = named("mesh-1"), ...leavers] = membersOf(fleet);
      const [lost = stays] = leavers;
      const values = { CLUSTER: lost.clusterId };
      await setLabels(fleet, lost, {});
      await sync(fleet);
      await Promise.all([
        expectCommand(LOST, /^gcloud logging read/, { shows: [`meshjoin label ${lost.clusterId}`] }),
        expectCommand(LOST, /status$/, { shows: ["MemberLost"] }),
      ]);
      await expectCommand(LOST, /label CLUSTER/, { values, shows: ["mesh_id=sandbox"] });
      await sync(fleet);
      await expectPaired(membersOf(fleet));
      await expectCommand(LOST, /leave CLUSTER/, { values });
      await expectForgotten(fleet, lost);
      await setLabels(fleet, lost, MESH_LABEL);
      await sync(fleet);
      for (const leaver of leavers) await setLabels(fleet, leaver, {});
      await sync(fleet);
      await Promise.all([
        expectCommand(FINDING, /^gcloud logging read/, { shows: [/^MassLeave /m] }),
        expectCommand(FINDING, /status$/, { shows: ["MassLeave"] }),
      ]);
      const kept = leavers.map(({ clusterId }) => `istio-remote-secret-${clusterId}`);
      expect([...(await secrets(stays)).keys()]).toEqual(expect.arrayContaining(kept));
      await expectCommand(LOST, /sync --yes/, { shows: ["deleted"] });
      for (const leaver of leavers) await expectForgotten(fleet, leaver);
    },
    SCENARIO_MS,
  );

  it(
    "15.12 shows when the last full run was, and what it had to say",
    async () => {
      await Promise.all([
        expectCommand(FULL_RUN, /"reconciled"/, { shows: [/^\d{4}-\d\d-\d\dT\S+Z\s+\w+$/m] }),
        expectCommand(FULL_RUN, /severity>=WARNING/, { shows: ["MassLeave", "NoSigningRoot"] }),
      ]);
      await expectCommand(FULL_RUN, /^meshjoin sync$/, { shows: ["Outcome: unchanged"] });
    },
    SCENARIO_MS,
  );

  it(
    "15.13 shows that no istiod of a member answers, by when that hurts, and brings it back",
    async () => {
      const { fleet } = world;
      const { clusterId, name } = named("mesh-1");
      const values = { "<member>": clusterId };
      await inIstio(named("mesh-1"), "scale", "deployment", "istiod", "--replicas=0");
      const reasons = async () => (await sync(fleet)).body.members.flatMap(({ findings }) => findings);
      const ends = async () => (await reasons()).some(({ reason }) => reason === "CertificatesEnd");
      expect(await eventually(ends, Boolean)).toBe(true);
      const end = /CertificatesEnd no istiod of \S+ answers since .+: the first ends at .+: kubectl .+ scale/;
      await Promise.all([
        expectCommand(PLANE, /status$/, { shows: [name, "CertificatesEnd", "ScaledToZero", "by "] }),
        expectCommand(PLANE, /^gcloud logging read/, { shows: [end] }),
        expectCommand(PLANE, / get deployment,pods /, { values, shows: [/istiod +0\/0/] }),
        expectCommand(PLANE, /doctor$/, { shows: ["All is well."] }),
      ]);
      await expectCommand(PLANE, / scale deployment /, { values });
      await inIstio(named("mesh-1"), "rollout", "status", "deployment/istiod", "--timeout=60s");
      await expectCommand(PLANE, / describe pods /, { values, shows: [/^Status: +Running$/m] });
      await expectCommand(PLANE, / rollout restart /, { values });
      await inIstio(named("mesh-1"), "rollout", "status", "deployment/istiod", "--timeout=60s");
      expect(await ends()).toBe(false);
      await expectCommand(PLANE, /--confirm RollOutWaits$/, { shows: ["Outcome: unchanged"] });
    },
    SCENARIO_MS,
  );

  it("15.14 is tried, or it is on record why not", () => {
    const excused = untried().filter((text) => UNTRIED.some(({ command }) => command.test(text)));
    expect(untried()).toEqual(excused);
    for (const { command } of UNTRIED) expect(excused.filter((text) => command.test(text))).not.toEqual([]);
  });
});
