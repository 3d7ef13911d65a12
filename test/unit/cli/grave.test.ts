import { describe, expect, it } from "@jest/globals";
import type { DryRun } from "../../../cli/grave-command.ts";
import { secretRef } from "../../../shared/istio/secrets.ts";
import type { ManifestTemplate } from "../../../shared/istio/template.ts";
import { makeRoot } from "../../../shared/pki/make-root.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { MANIFEST_TEMPLATE } from "../../support/fixtures/manifest-template.ts";
import { versionsOf } from "../reconcile/world.ts";
import { aJoinedMesh, STAGE, ticks } from "../rotate/world.ts";
import { call, type Terminal } from "./host.ts";

const ISTIOD = { apiVersion: "apps/v1", kind: "Deployment", namespace: "istio-system", name: "istiod" };

/** Everything that a command may change. */
async function worldOf(mesh: FakeMesh) {
  return {
    objects: versionsOf(mesh),
    roots: await mesh.roots.state(),
    versions: await mesh.roots.list(),
    labels: mesh.clusters.map(({ ref }) => mesh.directory.peek(ref)?.labels),
  };
}

async function aRotatingMesh(stage: "distribute" | "switch"): Promise<FakeMesh> {
  const mesh = await aJoinedMesh();
  await call(mesh, "root rotate --yes");
  if (stage === "distribute") return mesh;
  mesh.clock.advance(STAGE);
  await ticks(mesh);
  return mesh;
}

async function anOutdatedMesh(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 2 });
  const before = JSON.stringify({ ...MANIFEST_TEMPLATE, digest: "before" });
  const template: ManifestTemplate = JSON.parse(before.replaceAll(MANIFEST_TEMPLATE.tag, "1.30.2"));
  await mesh.reconcile("mesh", { template });
  return mesh;
}

async function aMeshWithTokens(): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 2 });
  await mesh.reconcile("mesh");
  return mesh;
}

async function aDrainedMesh(): Promise<FakeMesh> {
  const mesh = await aJoinedMesh();
  await call(mesh, "drain m1 --yes");
  return mesh;
}

/** Each command that asks, what it says before, and a mesh in which it would do something. */
const COMMANDS: readonly (readonly [string, readonly RegExp[], () => Promise<FakeMesh>])[] = [
  [
    "leave m1",
    [
      /^This takes m1 out of the mesh: 1 peer loses its endpoints \(m2\)\.$/m,
      /^Its CA stays trusted until 2026-05-30 12:00 UTC\.$/m,
    ],
    aJoinedMesh,
  ],
  [
    "drain m1",
    [
      /^This drains m1: 1 peer loses its endpoints \(m2\)\. It goes on sending requests to its peers\.$/m,
      /^Not covered: streams and requests on their way/m,
    ],
    aJoinedMesh,
  ],
  ["undrain m1", [/^This brings m1 back to 1 peer, 1 at a time\.$/m], aDrainedMesh],
  [
    "rotate",
    [/^This replaces the intermediate CA of 2 members, a share of them at a time: m1, m2\./m],
    aJoinedMesh,
  ],
  ["rotate --cluster m2 --compromised", [/of 1 member, all at once: m2\./], aJoinedMesh],
  [
    "upgrade",
    [/^This brings 2 members to Istio \S+ .*: m1 \(1\.30\.2\), m2 \(1\.30\.2\)\./m],
    anOutdatedMesh,
  ],
  [
    "root rotate",
    [/^This begins a rotation to a new root for 2 members \(m1, m2\): .* version 1 leaves\.$/m],
    aJoinedMesh,
  ],
  [
    "root import root.pem",
    [/^This begins a rotation to the root in root\.pem for 2 members \(m1, m2\)/m],
    aJoinedMesh,
  ],
  [
    "root abort",
    [/^This takes the rotation back: version 2 leaves the trust of 2 members/m],
    () => aRotatingMesh("distribute"),
  ],
  ["root abort", [/^This takes the rotation back: version 1 signs again/m], () => aRotatingMesh("switch")],
  [
    "pause",
    [
      /^This stops every write of the functions to mesh prod: .* its 2 members is renewed/m,
      /^The first to end is the token of m1 for m2, at 2026-03-0\d \d\d:\d\d UTC\.$/m,
    ],
    aMeshWithTokens,
  ],
];

describe.each(COMMANDS)("%s", (args, effects, make) => {
  const files = async (mesh: FakeMesh) => {
    const { certificate, privateKey } = await makeRoot({ organization: "else", now: mesh.clock.now() });
    return { "root.pem": certificate + privateKey };
  };
  const said = async (mesh: FakeMesh, line: string, terminal: Terminal = {}) => {
    mesh.clock.advance(1);
    return await call(mesh, line, { files: await files(mesh), ...terminal });
  };

  it("says on a terminal what will happen, asks, and takes a no for a no", async () => {
    const mesh = await make();
    const before = await worldOf(mesh);
    const { code, out, err, questions } = await said(mesh, args, { answer: false });
    expect([code, out, questions]).toEqual([1, "", ["Continue?"]]);
    for (const effect of effects) expect(err).toMatch(effect);
    expect(await worldOf(mesh)).toEqual(before);
  });

  it.each([
    ["", {}],
    ["-o json", { answer: true }],
    ["-o yaml", { answer: true }],
  ] as const)("does nothing where nobody can be asked, and names --yes: %s", async (format, terminal) => {
    const mesh = await make();
    const before = await worldOf(mesh);
    const { code, err, questions } = await said(mesh, `${args} ${format}`, terminal);
    expect([code, questions]).toEqual([1, []]);
    expect(err).toContain("run the same command with --yes");
    expect(await worldOf(mesh)).toEqual(before);
  });

  it.each(["--dry-run", "--dry-run --yes"])(
    "shows it as a result, and writes nothing: %s",
    async (option) => {
      const mesh = await make();
      const before = await worldOf(mesh);
      const { code, out, questions } = await said(mesh, `${args} ${option}`);
      expect([code, questions]).toEqual([0, []]);
      for (const effect of effects) expect(out).toMatch(effect);
      const json = await said(mesh, `${args} ${option} -o json`);
      const dryRun: DryRun = JSON.parse(json.out);
      for (const effect of effects) expect(dryRun.effects.join("\n")).toMatch(effect);
      expect(await worldOf(mesh)).toEqual(before);
    },
  );

  it.each([
    ["--yes", {}],
    ["", { answer: true }],
  ] as const)("does it when it is meant: %s", async (option, terminal) => {
    const mesh = await make();
    const before = await worldOf(mesh);
    expect((await said(mesh, `${args} ${option}`, terminal)).code).toBe(0);
    expect(await worldOf(mesh)).not.toEqual(before);
  });
});

describe("a command that would be refused", () => {
  it.each([
    ["root abort", "NothingToAbort", "no root rotation is under way"],
    ["leave m7", "ClusterUnknown", "there is no cluster m7"],
    ["root import nowhere.pem", "InvalidInput", "nowhere.pem cannot be read"],
  ])("says so and asks nothing: %s", async (args, _, words) => {
    const { code, err, questions } = await call(await aJoinedMesh(), args, { answer: true });
    expect([code === 0, questions]).toEqual([false, []]);
    expect(err).toContain(words);
  });

  it("is not begun twice", async () => {
    const { code, err } = await call(await aRotatingMesh("distribute"), "root rotate", { answer: true });
    expect([code, err]).toEqual([1, expect.stringContaining("a root rotation is under way already")]);
  });

  it("imports a first root, and says so", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.deleteSecret();
    const { certificate, privateKey } = await makeRoot({ organization: "else", now: mesh.clock.now() });
    const files = { "root.pem": certificate + privateKey };
    const { out } = await call(mesh, "root import root.pem --dry-run", { files });
    expect(out).toContain("the first root of the mesh");
  });
});

describe("pause and resume", () => {
  it("say of a note without a time that its time is not known", async () => {
    const mesh = await aJoinedMesh();
    await call(mesh, "root rotate --yes");
    mesh.roots.setAnnotations({
      ...mesh.roots.annotations,
      "meshjoin.dev_writes-paused": "incident 7",
      "meshjoin.dev_paused": "",
    });
    for (const args of ["status", "root status", "pause --dry-run", "pause --yes"]) {
      const { out } = await call(mesh, args);
      expect([args, out]).toEqual([args, expect.stringMatching(/(?:since|at) an unknown time/)]);
      expect(out).not.toContain("1970");
    }
  });

  it("are on record on the root secret, keep the time of the first, and ask nothing to go on", async () => {
    const mesh = await aJoinedMesh();
    const noteOf = async () => (await mesh.roots.state()).annotations["meshjoin.dev_writes-paused"];
    const first = await call(mesh, "pause --yes -o json", { manifest: "missing" });
    const since = mesh.clock.now().toISOString();
    expect([first.code, JSON.parse(first.out), await noteOf()]).toEqual([
      0,
      { meshId: "prod", writesPaused: since, outcome: "updated" },
      since,
    ]);
    mesh.clock.advance(60);
    expect((await call(mesh, "pause --yes")).out).toContain("write nothing to mesh prod since 2026-03-01");
    expect(await noteOf()).toBe(since);
    expect((await call(mesh, "pause", { answer: false })).err).toContain("nothing changes");
    const resumed = await call(mesh, "resume", { answer: false });
    expect([resumed.code, resumed.questions, await noteOf()]).toEqual([0, [], undefined]);
    expect(JSON.parse((await call(mesh, "resume -o json")).out)).toMatchObject({ outcome: "unchanged" });
  });
});

describe("a question", () => {
  it.each(["leave m1", "drain m1", "rotate --cluster m1", "upgrade --cluster m1"])(
    "is about the cluster that it showed, though another has its name by the time of the yes: %s",
    async (args) => {
      const mesh = await aMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
      const other = aCluster({ project: "zoo", name: "m1", id: "other" });
      const server = mesh.add({ ...other, labels: {} });
      const { ref } = mesh.clusters[0]!;
      await mesh.reconcile("mesh");
      mesh.directory.delete(other.ref);
      mesh.clock.advance(1);
      const { code, questions } = await call(mesh, args, {
        answer: true,
        whileAsked: () => {
          mesh.directory.delete(ref);
          mesh.directory.put(other);
        },
      });
      expect([code, questions]).toEqual([/^(?:leave|drain)/.test(args) ? 2 : 0, ["Continue?"]]);
      expect(mesh.directory.peek(other.ref)?.labels).toEqual(other.labels);
      expect(server.store.get(secretRef("cacerts"))).toBeUndefined();
    },
  );

  describe("about the roots is about those that it showed", () => {
    const aRoot = async (mesh: FakeMesh, organization: string) => {
      const { certificate, privateKey } = await makeRoot({ organization, now: mesh.clock.now() });
      return certificate + privateKey;
    };
    const withoutRoot = async () => {
      const mesh = await aMesh({ members: 1 });
      mesh.roots.setAliases({});
      return mesh;
    };
    const signing = (mesh: FakeMesh) => mesh.roots.setAliases({ signing: 1 });
    const stageOver = async (mesh: FakeMesh) => {
      mesh.clock.advance(STAGE);
      await ticks(mesh);
    };
    const begun = async (mesh: FakeMesh) => void (await call(mesh, "root rotate --yes"));
    const thereAndBack = async (mesh: FakeMesh) => {
      await begun(mesh);
      mesh.clock.advance(1);
      await call(mesh, "root abort --yes");
      await stageOver(mesh);
      await stageOver(mesh);
    };

    it.each([
      ["root import root.pem", "a first root, and there is one by now", withoutRoot, signing],
      ["root import root.pem", "a rotation, and another has been there and back", aJoinedMesh, thereAndBack],
      ["root import root.pem", "a rotation, and one is under way", aJoinedMesh, begun],
      [
        "root import root.pem",
        "a rotation, and no root signs",
        aJoinedMesh,
        (mesh: FakeMesh) => mesh.roots.setAliases({}),
      ],
      ["root rotate", "a rotation, and another has been there and back", aJoinedMesh, thereAndBack],
      [
        "root abort",
        "a root that never signed, and it signs by now",
        () => aRotatingMesh("distribute"),
        stageOver,
      ],
    ] as const)("%s: %s", async (args, _, make, meanwhile) => {
      const mesh = await make();
      const files = { "root.pem": await aRoot(mesh, "else") };
      mesh.clock.advance(1);
      let before: Awaited<ReturnType<typeof worldOf>> | undefined;
      const { code, out } = await call(mesh, args, {
        answer: true,
        files,
        whileAsked: async () => {
          await meanwhile(mesh);
          mesh.clock.advance(1);
          before = await worldOf(mesh);
        },
      });
      expect([code, out]).toEqual([1, expect.stringContaining("Refused: OrderOutOfDate")]);
      expect(out).toContain("are no longer the ones that were shown");
      expect(await worldOf(mesh)).toEqual(before);
    });

    it("root import: the file, which holds another root by now", async () => {
      const mesh = await aJoinedMesh();
      const files = { "root.pem": await aRoot(mesh, "else") };
      const before = await worldOf(mesh);
      const { code, err } = await call(mesh, "root import root.pem", {
        answer: true,
        files,
        whileAsked: async () => {
          files["root.pem"] = await aRoot(mesh, "third");
        },
      });
      expect([code, err]).toEqual([2, expect.stringContaining("root.pem has changed")]);
      expect(await worldOf(mesh)).toEqual(before);
    });

    it("and goes ahead where only something else about them has changed", async () => {
      const mesh = await aJoinedMesh();
      const { code } = await call(mesh, "root rotate", {
        answer: true,
        whileAsked: async () => void (await call(mesh, "pause --yes")),
      });
      expect(code).toBe(0);
    });
  });

  it.each(["upgrade", "rotate", "pause"])("names what it could not see: %s", async (command) => {
    const mesh = await aJoinedMesh();
    mesh.servers[1]!.faults.unreachable = true;
    const { out } = await call(mesh, `${command} --dry-run`);
    expect(out).toMatch(/^Not known: .* 1 member/m);
    expect(out).not.toContain("No member needs it");
  });
});

describe("an upgrade while the API server of a member is silent", () => {
  const version = (mesh: FakeMesh) =>
    JSON.stringify(mesh.servers[0]!.store.get(ISTIOD)).includes(`pilot:${MANIFEST_TEMPLATE.tag}`);

  it("says that its readers wait, and waits", async () => {
    const mesh = await anOutdatedMesh();
    expect(mesh.servers[0]!.remoteClusters().map(({ status }) => status)).toEqual(["synced", "synced"]);
    mesh.servers[1]!.faults.unreachable = true;
    const shown = await call(mesh, "upgrade --dry-run");
    expect(shown.out).toMatch(/^m1 will wait: a restarted istiod would not know the pods of a member/m);
    const { code, out } = await call(mesh, "upgrade --yes");
    expect(out).toContain("RollOutWaits");
    expect(code).toBe(3);
    expect(version(mesh)).toBe(false);
  });

  it("says what is lost where that is confirmed, and goes on", async () => {
    const mesh = await anOutdatedMesh();
    mesh.servers[0]!.remoteClusters();
    mesh.servers[1]!.faults.unreachable = true;
    const shown = await call(mesh, "upgrade --dry-run --confirm RollOutWaits");
    expect(shown.out).toMatch(/^istiod of m1 loses the pods of each member whose API server is silent/m);
    await call(mesh, "upgrade --yes --confirm RollOutWaits");
    expect(version(mesh)).toBe(true);
  });
});
