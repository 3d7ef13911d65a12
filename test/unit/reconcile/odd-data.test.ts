import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { Outcome } from "../../../shared/core/outcome.ts";
import type { KubernetesObject } from "../../../shared/ports.ts";
import { preview } from "../../../shared/preview.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import { orderRoot, tick } from "../../../shared/rotate.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aMesh, type FakeMesh } from "../../fakes/mesh.ts";
import { configMap, istiod, namespace, secret } from "./installations.ts";
import { objectsOf } from "./world.ts";

/** Whoever wrote what is odd. */
const SOMEBODY = "kubectl-edit";
/** What an API server sees to itself. */
const OF_THE_SERVER = ["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"];

const DONE: readonly Outcome[] = ["unchanged", "updated"];

async function threeMembers(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 3 });
  await mesh.reconcile("mesh");
  return mesh;
}

const write = (mesh: FakeMesh, object: KubernetesObject) => mesh.servers[0]!.store.write(object, SOMEBODY);

/** Instead of the minute that a run waits for the member that is not well; long enough for the others on a busy machine. */
const patience = () => AbortSignal.timeout(2000);

/** The second and the third member are as if the first were well. */
function expectOthersWell(mesh: FakeMesh, { summary }: Reconciled): void {
  const [, ...others] = mesh.clusters.map(({ ref }) => clusterId(ref));
  const isOther = (id: string) => others.includes(id);
  const members = summary.members.filter((member) => isOther(member.clusterId));
  expect(members.map(({ outcome }) => DONE.includes(outcome))).toEqual([true, true]);
  const pairs = summary.pairs.filter(({ reader, target }) => isOther(reader) && isOther(target));
  expect(pairs.map(({ outcome }) => outcome)).toEqual(["unchanged", "unchanged"]);
}

/** Every way to look at the mesh, or to work on it, answers for the others. */
async function expectNobodyStopped(mesh: FakeMesh): Promise<void> {
  const run = mesh.run({ signal: patience() });
  const status = await collectStatus(run);
  expect(status.members).toHaveLength(3);
  const [, second, third] = status.members.map((member) => member.clusterId);
  const between = status.pairs.filter(({ reader, target }) =>
    [reader, target].every((id) => id === second || id === third),
  );
  expect(between.map((pair) => pair.status)).toEqual(["synced", "synced"]);
  await preview(run, { scope: "mesh", reason: "test" });
  expectOthersWell(mesh, (await tick(mesh.run({ signal: patience() }))).reconciled!);
  const { summary } = await mesh.join(mesh.clusters[1]!, { signal: patience() });
  expect(summary.members.map(({ outcome }) => outcome)).toEqual(["unchanged"]);
}

const FOREIGN: readonly [string, string][] = [
  ["a key that is there twice", "accessLogFile: a\naccessLogFile: b\ntrustDomain: cluster.local"],
  ["a tab", "defaultConfig:\n\tdiscoveryAddress: istiod"],
  ["an alias to nothing", "trustDomain: *none"],
  ["no YAML at all", "\u0000{{{"],
];

describe("a foreign mesh config with", () => {
  it.each(FOREIGN)("%s is the trouble of its member alone", async (_, text) => {
    const mesh = await aMesh({ members: 3 });
    for (const object of [namespace(), istiod("Kubernetes"), configMap("istio", { mesh: text })])
      write(mesh, object);
    await mesh.reconcile("mesh");
    await expectNobodyStopped(mesh);
    const { members } = await collectStatus(mesh.run());
    expect(members[0]?.findings.map(({ severity }) => severity)).toContain("error");
  });
});

describe("odd data of one member", () => {
  it("like a cacerts that is no certificate stops nobody", async () => {
    const mesh = await aMesh({ members: 3 });
    write(mesh, namespace());
    write(
      mesh,
      secret("cacerts", { "ca-cert.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }),
    );
    await mesh.reconcile("mesh");
    await expectNobodyStopped(mesh);
  });

  it("like a life of workload certificates that no clock can count stops nobody, in a rotation either", async () => {
    const mesh = await threeMembers();
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: ISTIO_NAMESPACE, name: "istiod" };
    const text = JSON.stringify(mesh.servers[0]!.store.get(ref)).replace(
      /("MAX_WORKLOAD_CERT_TTL","value":)"[^"]*"/,
      '$1"9999999999h"',
    );
    expect(text).toContain("9999999999h");
    write(mesh, JSON.parse(text));
    mesh.roots.setAnnotations({ "meshjoin.dev_origin": "generated" });
    await orderRoot(mesh.run(), { action: "start", givenAt: mesh.clock.now() });
    await expectNobodyStopped(mesh);
    expect((await collectStatus(mesh.run())).rotation.stage).toBe("distribute");
  });

  it("whatever it is, in whatever field of whatever object, stops nobody", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), anyText(), async (which, where, text) => {
        const mesh = await threeMembers();
        const own = objectsOf({ ...mesh, servers: mesh.servers.slice(0, 1) });
        const object = own[which % own.length]!;
        const leaves = leavesOf(object);
        const path = leaves[where % leaves.length]!;
        write(mesh, withLeaf(object, path, text));
        await expectNobodyStopped(mesh);
      }),
      { numRuns: 20 },
    );
  });
});

function anyText(): fc.Arbitrary<string> {
  const known = [
    "",
    "\t",
    "a: 1\na: 2",
    "*x",
    "9999999999h",
    "-1s",
    "{",
    "0",
    "true",
    "99999-99-99T99:99:99Z",
  ];
  return fc.oneof(fc.constantFrom(...known), fc.string({ unit: "binary" }));
}

type Path = readonly string[];

/** Where in an object a text or a number stands that a client may set. */
function leavesOf(object: KubernetesObject): Path[] {
  const walk = (value: unknown, path: Path): Path[] => {
    if (typeof value === "string" || typeof value === "number") return [path];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => walk(inner, [...path, key]));
  };
  return walk(object, []).filter(
    ([first, second = ""]) =>
      first !== "apiVersion" && first !== "kind" && !(first === "metadata" && OF_THE_SERVER.includes(second)),
  );
}

/** A Secret's data are base64 of whatever bytes; a number stays one. */
function withLeaf(object: KubernetesObject, path: Path, text: string): KubernetesObject {
  const copy = structuredClone(object);
  let place: Record<string, unknown> = copy;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a path of this very object
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
  const key = path.at(-1)!;
  const isData = copy.kind === "Secret" && path[0] === "data";
  if (typeof place[key] === "number") place[key] = Number(text) || 0;
  else place[key] = isData ? Buffer.from(text).toString("base64") : text;
  return copy;
}
