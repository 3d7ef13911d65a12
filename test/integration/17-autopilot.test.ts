import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { MESH_LABEL, membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { allowNetAdmin, setLabels } from "./world/google.ts";
import { kubectl, list, snapshot } from "./world/kubectl.ts";
import { eventually, expectPaired, joined, untilFailClosed } from "./world/mesh.ts";
import { plan, sync } from "./world/sync-mesh.ts";

const world = useFleet({ members: 1 });

function named(name: string) {
  const member = membersOf(world.fleet).find((each) => each.name === name);
  if (member === undefined) throw new Error(`there is no ${name}`);
  return member;
}

const auto = () => named("auto");
const CURE =
  "gcloud container clusters update auto --project=meshjoin-sandbox --location=europe-west1 --workload-policies=allow-net-admin";

/** What the API server would say to a pod whose only container, or whose whole spec, has this. */
async function answerTo(spec: object, container: object = {}, namespace = "default"): Promise<string> {
  const overrides = JSON.stringify({
    spec: { ...spec, containers: [{ name: "app", image: "example/app", ...container }] },
  });
  const trial = ["run", "trial", "--image=example/app", "--restart=Never", "--dry-run=server"];
  return await kubectl(auto(), "-n", namespace, ...trial, `--overrides=${overrides}`).catch(String);
}

async function deploy(namespace: string): Promise<void> {
  await kubectl(auto(), "create", "namespace", namespace);
  await kubectl(auto(), "label", "namespace", namespace, "istio-injection=enabled");
  await kubectl(auto(), "-n", namespace, "create", "deployment", "web", "--image=example/web");
}

/**
 * An object, in a file, that changes every Deployment whenever it is written, as Autopilot does: what it asks
 * for, and no more.
 */
async function aMutation(): Promise<string> {
  const requests = { cpu: "500m", memory: "2Gi", "ephemeral-storage": "1Gi" };
  const limits = { memory: "2Gi", "ephemeral-storage": "1Gi" };
  const metadata = { name: "autopilot-default-resources-mutator" };
  const path = "/spec/template/spec/containers/0/resources";
  const apiVersion = "admissionregistration.k8s.io/v1";
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] };
  const operations = ["CREATE", "UPDATE"];
  const expression = `[JSONPatch{op: "add", path: "${path}", value: ${JSON.stringify({ requests, limits })}}]`;
  const policy = {
    apiVersion,
    kind: "MutatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      reinvocationPolicy: "Never",
      matchConstraints: { resourceRules: [{ ...rule, operations }] },
      mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }],
    },
  };
  const spec = { policyName: metadata.name };
  const binding = { apiVersion, kind: "MutatingAdmissionPolicyBinding", metadata, spec };
  const file = join(dirname(world.fleet.file().logDir), "mutation.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: [policy, binding] }));
  return file;
}

/** Of a Deployment as the cluster would store it. */
async function limitsIn(member: FleetMember, name: string): Promise<string> {
  const trial = ["create", "deployment", name, "--image=example/app", "--dry-run=server"];
  return await kubectl(
    member,
    ...trial,
    "-o",
    "jsonpath={.spec.template.spec.containers[0].resources.limits}",
  );
}

const pods = async (namespace: string) => await list(auto(), "pods", "-n", namespace);

describe("Autopilot", () => {
  it(
    "17.1 a cluster of it joins, and neither a run nor a deep one writes to it again, whatever Autopilot makes of istiod",
    async () => {
      const { fleet } = world;
      const made = await fleet.createCluster("auto", { autopilot: true, labels: {} });
      await kubectl(made, "apply", "-f", await aMutation());
      await eventually(
        () => limitsIn(made, "trial"),
        (limits) => limits !== "",
      );
      await setLabels(fleet, made, MESH_LABEL);
      await joined(fleet);
      await expectPaired(membersOf(fleet));
      await Promise.all(membersOf(fleet).map((member) => untilFailClosed(member)));
      const before = await snapshot(auto());
      for (const order of [{}, { deep: true }, { deep: true }]) {
        const { status, body } = await sync(fleet, order);
        expect([status, body.outcome, body.findings]).toEqual([200, "unchanged", []]);
        const findings = body.members.flatMap((member) => member.findings);
        expect(findings).toMatchObject([
          { reason: "AutopilotNeedsNetAdmin", severity: "warning", clusterId: auto().clusterId },
        ]);
        expect(findings[0]?.cure).toContain(CURE);
      }
      expect(await snapshot(auto())).toEqual(before);

      const istiod = ["-n", "istio-system", "deployment", "istiod"];
      const limits = ["-o", "jsonpath={.spec.template.spec.containers[0].resources.limits.memory}"];
      expect(await kubectl(auto(), "get", ...istiod, ...limits)).toBe("2Gi");
    },
    SCENARIO_MS,
  );

  it(
    "17.2 refuses a pod with a sidecar, of which a deep run names the workload, and admits it when it is told to",
    async () => {
      const { fleet } = world;
      await deploy("shop");
      const events = async () =>
        await kubectl(auto(), "-n", "shop", "get", "events", "-o", "jsonpath={.items[*].message}");
      expect(await eventually(events, (seen) => seen.includes("NET_ADMIN"))).toContain(
        "GKE Warden rejected the request because it violates one or more constraints. Violations details: " +
          `{"[denied by autogke-default-linux-capabilities]":["linux capability 'NET_ADMIN' on container 'istio-init' not allowed;`,
      );
      expect(await pods("shop")).toEqual([]);
      const { body } = await sync(fleet, { deep: true });
      expect([body.outcome, body.findings]).toMatchObject([
        "unchanged",
        [{ reason: "AutopilotNeedsNetAdmin", message: expect.stringMatching(/ReplicaSet shop\/web-/) }],
      ]);

      await allowNetAdmin(fleet, auto());
      await deploy("later");
      const [pod] = await eventually(
        () => pods("later"),
        (seen) => seen.length > 0,
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a core/v1 Pod
      const { initContainers = [] } = (pod?.["spec"] ?? {}) as {
        initContainers?: { name: string; securityContext: object }[];
      };
      expect(initContainers.find(({ name }) => name === "istio-init")).toMatchObject({
        securityContext: { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
      });
      const after = await sync(fleet, { deep: true });
      expect([after.body.findings, after.body.members.flatMap(({ findings }) => findings)]).toEqual([[], []]);
      expect((await plan(fleet)).findings).toEqual([]);
    },
    SCENARIO_MS,
  );

  it.each<[string, object, object, string]>([
    [
      "another capability",
      {},
      { securityContext: { capabilities: { add: ["SYS_ADMIN"] } } },
      "linux capability 'SYS_ADMIN' on container 'app' not allowed",
    ],
    ["a privileged container", {}, { securityContext: { privileged: true } }, "container app is privileged"],
    ["the node's network", { hostNetwork: true }, {}, "enabling hostNetwork is not allowed"],
    ["a port of the node", {}, { ports: [{ containerPort: 80, hostPort: 80 }] }, "specifies host ports [80]"],
    [
      "a path of the node",
      { volumes: [{ name: "etc", hostPath: { path: "/etc" } }] },
      { volumeMounts: [{ name: "etc", mountPath: "/etc", readOnly: true }] },
      "hostPath volume etc uses path /etc",
    ],
    [
      "a path of the node to write to",
      { volumes: [{ name: "log", hostPath: { path: "/var/log/app" } }] },
      { volumeMounts: [{ name: "log", mountPath: "/log" }] },
      "hostPath volume log in container app is accessed in write mode",
    ],
  ])("17.3 refuses %s", async (_, spec, container, words) => {
    expect(await answerTo(spec, container)).toContain(words);
  });

  it("17.4 admits what asks for nothing of the kind, and refuses everything in kube-system", async () => {
    const harmless = { volumeMounts: [{ name: "log", mountPath: "/log", readOnly: true }] };
    const volumes = [{ name: "log", hostPath: { path: "/var/log" } }];
    expect(await answerTo({ volumes }, harmless)).toContain("pod/trial created");
    expect(await answerTo({}, {}, "kube-system")).toContain('the namespace "kube-system" is managed');
    const [standard] = membersOf(world.fleet);
    if (standard === undefined) throw new Error("there is no member");
    const privileged = ["run", "trial", "--image=example/app", "--privileged", "--dry-run=server"];
    expect(await kubectl(standard, ...privileged)).toContain("pod/trial created");
  });
});
