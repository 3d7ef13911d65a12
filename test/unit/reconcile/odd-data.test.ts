import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Outcome } from "../../../shared/core/answers/outcome.ts";
import { annotation, clusterId, ISTIO_NAMESPACE } from "../../../shared/core/names.ts";
import type { KubernetesObject } from "../../../shared/ports/kubernetes-object.ts";
import { preview } from "../../../shared/preview.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import { orderRoot, tick } from "../../../shared/rotate/rotate.ts";
import { collectStatus } from "../../../shared/status.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { cacertsByHand, configMap, istiod, namespace, secret } from "./installations.ts";
import { objectsOf } from "./world.ts";

/** The field manager that writes the odd data. */
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

/**
 * Instead of the minute that a run waits for the member that is not well; long enough for the others on a
 * busy machine.
 */
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

const FOREIGN_CONFIGS: readonly [string, string][] = [
  ["a key that is there twice", "accessLogFile: a\naccessLogFile: b\ntrustDomain: cluster.local"],
  ["a tab", "defaultConfig:\n\tdiscoveryAddress: istiod"],
  ["an alias to nothing", "trustDomain: *none"],
  ["no YAML at all", "\u0000{{{"],
];

describe("a foreign mesh config with", () => {
  it.each(FOREIGN_CONFIGS)("%s is the trouble of its member alone", async (_, text) => {
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

  it("like a foreign istiod that no API server should answer with stops nobody", async () => {
    const mesh = await withAForeignMember();
    const odd = {
      ...istiod(clusterId(mesh.clusters[0]!.ref)),
      spec: { template: { spec: { containers: [null] } } },
    };
    write(mesh, odd);
    await expectNobodyStopped(mesh);
  });

  it("like a label of the namespace that says nothing any more stops nobody", async () => {
    const mesh = await threeMembers();
    const found = mesh.servers[0]!.store.get({ apiVersion: "v1", kind: "Namespace", name: ISTIO_NAMESPACE })!;
    const labels = { ...found.metadata.labels, "app.kubernetes.io/managed-by": "" };
    write(mesh, { ...found, metadata: { ...found.metadata, labels } });
    await expectNobodyStopped(mesh);
  });

  it("whatever it is, in whatever field of whatever object, stops nobody", async () => {
    const lane = async () => {
      const property = fc.asyncProperty(fc.boolean(), someOddities(), async (isForeign, oddities) => {
        const mesh = isForeign ? await withAForeignMember() : await threeMembers();
        for (const oddity of oddities) writeOddity(mesh, oddity, isForeign ? FOREIGN : undefined);
        await expectNobodyStopped(mesh);
      });
      // A smaller example would take a minute to find.
      await fc.assert(property, { numRuns: RUNS / LANES, endOnFailure: true });
    };
    // Side by side, because most of the time some run waits for its odd member.
    await Promise.all(Array.from({ length: LANES }, lane));
  });
});

const RUNS = 20;
const LANES = 4;

/** Names of the objects that Meshjoin reads of a foreign installation. */
const FOREIGN = ["istio-system", "cacerts", "istio", "istiod"];

/** The first member has the mesh's roots, and a foreign `cacerts` and istiod. */
async function withAForeignMember(): Promise<FakeMesh> {
  const mesh = await threeMembers();
  const config = configMap("istio", { mesh: "defaultConfig:\n  meshId: prod\ntrustDomain: cluster.local\n" });
  for (const object of [cacertsByHand(mesh), config, istiod(clusterId(mesh.clusters[0]!.ref))])
    write(mesh, object);
  return mesh;
}

/** One odd value and its place. The natural numbers choose among the present objects and places. */
interface Oddity {
  readonly which: number;
  readonly where: number;
  /** In the place of a value, in the middle of it, or as another label or annotation. */
  readonly how: "instead" | "within" | "beside";
  readonly value: string | null;
}

function someOddities(): fc.Arbitrary<Oddity[]> {
  const oddity: fc.Arbitrary<Oddity> = fc.record({
    which: fc.nat(),
    where: fc.nat(),
    how: fc.constantFrom("instead", "within", "beside"),
    value: fc.oneof({ arbitrary: fc.constant(null), weight: 1 }, { arbitrary: anyText(), weight: 3 }),
  });
  return fc.array(oddity, { minLength: 1, maxLength: 6, size: "max" });
}

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

/** Into an object of the first member; into one of these, if any are named. */
function writeOddity(mesh: FakeMesh, oddity: Oddity, names?: readonly string[]): void {
  const own = objectsOf({ ...mesh, servers: mesh.servers.slice(0, 1) });
  const chosen = own.filter(({ metadata }) => names?.includes(metadata.name) ?? true);
  const object = structuredClone(chosen[oddity.which % chosen.length]!);
  if (oddity.how === "beside") addNote(object, notesOf(own), oddity);
  else replaceValue(object, oddity);
  write(mesh, object);
}

type Path = readonly (string | number)[];

/** Where in an object something stands that a client may set: a text or a number, or anything at all. */
function placesIn(object: KubernetesObject, only: "leaves" | "all"): Path[] {
  const walk = (value: unknown, path: Path): Path[] => {
    if (typeof value === "string" || typeof value === "number") return [path];
    if (typeof value !== "object" || value === null) return [];
    const inner = Object.entries(value).flatMap(([key, each]) => walk(each, [...path, key]));
    return only === "all" && path.length > 1 ? [path, ...inner] : inner;
  };
  const { apiVersion: _, kind: __, ...rest } = object;
  return walk(rest, []).filter(
    ([first, second = ""]) => first !== "metadata" || !OF_THE_SERVER.includes(String(second)),
  );
}

/** A Secret's data stay base64, of any bytes; a number stays one. `null` may take the place of anything. */
function replaceValue(object: KubernetesObject, { where, how, value }: Oddity): void {
  const places = placesIn(object, value === null ? "all" : "leaves");
  const path = places[where % places.length]!;
  let place: Record<string, unknown> = object;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a path of this very object
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
  const key = path.at(-1)!;
  const now = place[key];
  if (value === null) place[key] = null;
  else if (typeof now === "number") place[key] = Number(value) || 0;
  else place[key] = oddText(String(now), object.kind === "Secret" && path[0] === "data", how, value, where);
}

function oddText(now: string, isData: boolean, how: Oddity["how"], text: string, where: number): string {
  const before = isData ? Buffer.from(now, "base64").toString("latin1") : now;
  const at = where % (before.length + 1);
  const after = how === "within" ? before.slice(0, at) + text + before.slice(at + text.length) : text;
  return isData ? Buffer.from(after, how === "within" ? "latin1" : "utf8").toString("base64") : after;
}

/** Names of labels and annotations that objects have, and one that Meshjoin does not know. */
function notesOf(objects: readonly KubernetesObject[]): string[] {
  const names = objects.flatMap(({ metadata }) =>
    Object.keys({ ...metadata.labels, ...metadata.annotations }),
  );
  return [...new Set([...names, annotation("accepted-cacerts"), "example.com/unknown"])];
}

function addNote(object: KubernetesObject, names: readonly string[], { where, value }: Oddity): void {
  const name = names[where % names.length]!;
  const field = where % 2 === 0 ? "labels" : "annotations";
  Object.assign(object.metadata, { [field]: { ...object.metadata[field], [name]: value } });
}
