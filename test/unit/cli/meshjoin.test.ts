import { describe, expect, it } from "@jest/globals";
import type { Plan } from "../../../shared/core/answers/plan.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { scrub } from "../../../shared/scrub.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { expectJoined, versionsOf } from "../reconcile/world.ts";
import { call } from "./host.ts";

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);
const labelsOf = (mesh: FakeMesh, index: number) => mesh.directory.peek(mesh.clusters[index]!.ref)?.labels;

/** One line, and nothing beside it. */
function lineOf({ out }: { readonly out: string }): string {
  expect(out).toMatch(/^\{[^\n]*\}\n$/);
  return out;
}

function planOf(ended: { readonly out: string }): Plan {
  const plan: Plan = JSON.parse(lineOf(ended));
  return plan;
}

function outcomeOf(ended: { readonly out: string }): string {
  const { outcome }: Summary = JSON.parse(lineOf(ended));
  return outcome;
}

describe("status", () => {
  it("answers the contract's object, alone on standard output", async () => {
    const mesh = await aJoinedMesh(2);
    const ended = await call(mesh, "status --output json");
    expect([ended.code, ended.err]).toEqual([0, ""]);
    const { meshId, members, pairs }: Status = JSON.parse(lineOf(ended));
    expect(meshId).toBe("prod");
    expect(members.map((member) => member.clusterId)).toEqual([idOf(mesh, 0), idOf(mesh, 1)]);
    expect(pairs.map(({ status }) => status)).toEqual(["synced", "synced"]);
  });

  it("is done when it could be shown, whatever it shows", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.servers[0]!.faults.unreachable = true;
    const { code, out } = await call(mesh, "status");
    expect(code).toBe(0);
    expect(out).toContain("ApiServerUnreachable");
  });
});

describe("plan", () => {
  it("shows what a sync would do, and does nothing of it", async () => {
    const mesh = await aMesh({ members: 2 });
    const before = versionsOf(mesh);
    const plan = planOf(await call(mesh, "plan -o json"));
    expect(plan.actions.length).toBeGreaterThan(10);
    expect(versionsOf(mesh)).toEqual(before);
    await call(mesh, "sync");
    expect(planOf(await call(mesh, "plan -o json"))).toEqual({ actions: [], findings: [] });
  });

  it("is about one cluster when told so, in either form of its name", async () => {
    const mesh = await aMesh({ members: 2 });
    const id = idOf(mesh, 0);
    const byId = planOf(await call(mesh, `plan -o json --cluster ${id}`));
    expect(new Set(byId.actions.map(({ clusterId: on }) => on)).has(id)).toBe(true);
    const byResource = await call(
      mesh,
      "plan -o json --cluster projects/shop/locations/europe-west1/clusters/m1",
    );
    expect(planOf(byResource)).toEqual(byId);
  });

  it("says of a cluster that it is no member", async () => {
    const mesh = await aMesh({ clusters: [aCluster({ labels: {} })] });
    expect(await call(mesh, `plan --cluster ${idOf(mesh, 0)}`)).toEqual({
      abandons: false,
      code: 0,
      out: "There is nothing to do.\n",
      err: `${idOf(mesh, 0)} is no member of mesh prod: NotLabelled\n`,
      questions: [],
      builds: 0,
    });
  });

  it("knows a cluster that is gone, as long as a member does", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.directory.delete(mesh.clusters[0]!.ref);
    const plan = planOf(await call(mesh, `plan -o json --cluster ${idOf(mesh, 0)}`));
    expect(plan.actions.map(({ verb }) => verb)).toEqual(["delete", "delete", "delete", "delete"]);
    await call(mesh, "sync");
    const gone = await call(mesh, `plan --cluster ${idOf(mesh, 0)}`);
    expect([gone.code, gone.out]).toEqual([2, ""]);
  });
});

describe("sync", () => {
  it("makes the mesh whole, says each step beside, and does nothing the second time", async () => {
    const mesh = await aMesh({ members: 3 });
    const first = await call(mesh, "sync --output json");
    expect([first.code, outcomeOf(first)]).toEqual([0, "created"]);
    expect(first.err).toContain(`   1.2 s  ${idOf(mesh, 0)}  intermediate CA created\n`);
    expect(first.err).toContain(`${idOf(mesh, 0)}  remote secret for ${idOf(mesh, 1)} created\n`);
    await expectJoined(mesh);
    const second = await call(mesh, "sync --output json");
    expect([second.code, second.err, outcomeOf(second)]).toEqual([0, "", "unchanged"]);
  });

  it("exits with 3 while work is left, and with 1 when asking again will not help", async () => {
    const slow = await aMesh({ members: 1 });
    slow.servers[0]!.istiod.readyAfterMs = Number.POSITIVE_INFINITY;
    expect(await call(slow, "sync", { signal: AbortSignal.timeout(300) })).toMatchObject({ code: 3 });
    const refusing = await aMesh({ members: 2 });
    refusing.servers[0]!.faults.forbidden = ["list", "get"];
    const { code, out } = await call(refusing, "sync");
    expect(code).toBe(1);
    expect(out).toContain("ApiServerRefused");
    await expectJoined(refusing, refusing.clusters.slice(1));
  });

  describe("when most of the mesh seems to have left", () => {
    const aDesertedMesh = async () => {
      const mesh = await aJoinedMesh(3);
      for (const cluster of mesh.clusters.slice(1)) mesh.directory.put({ ...cluster, labels: {} });
      return mesh;
    };
    const rest = (mesh: FakeMesh) => mesh.clusters.slice(0, 1);

    it.each([
      ["sync", {}],
      ["sync --output json", { answer: true }],
      ["sync --output yaml", { answer: true }],
    ] as const)("stops where nobody can be asked, and names the flag: %s", async (args, terminal) => {
      const mesh = await aDesertedMesh();
      const { code, err, questions } = await call(mesh, args, terminal);
      expect([code, questions]).toEqual([1, []]);
      expect(err).toContain("meshjoin sync --yes");
      await expectJoined(mesh);
    });

    it("asks once on a terminal, and leaves all as it is on a no", async () => {
      const mesh = await aDesertedMesh();
      const { code, questions } = await call(mesh, "sync", { answer: false });
      expect(code).toBe(1);
      expect(questions).toEqual([
        expect.stringContaining(`2 clusters that seem to have left (${idOf(mesh, 1)},`),
      ]);
      await expectJoined(mesh);
    });

    it.each(["sync", "sync --confirm MassLeave"])(
      "removes those that it named, though another has lost its label by the time of the yes: %s",
      async (args) => {
        const mesh = await aJoinedMesh(5);
        const unlabel = (cluster: Cluster) => mesh.directory.put({ ...cluster, labels: {} });
        for (const cluster of mesh.clusters.slice(2)) unlabel(cluster);
        const whileAsked = () => unlabel(mesh.clusters[1]!);
        const { out } = await call(mesh, args, { answer: true, whileAsked });
        expect(out).toMatch(new RegExp(`MemberLost[^]*the mesh has lost ${idOf(mesh, 1)}`));
        await expectJoined(mesh, mesh.clusters.slice(0, 2));
      },
    );

    it.each([
      ["sync", { answer: true }],
      ["sync --yes", {}],
    ] as const)("removes what it was told to: %s", async (args, terminal) => {
      const mesh = await aDesertedMesh();
      expect(await call(mesh, args, terminal)).toMatchObject({ code: 0 });
      await expectJoined(mesh, rest(mesh));
    });
  });
});

describe("sync with a confirmation by name", () => {
  const aNarrowedMesh = async () => {
    const mesh = await aJoinedMesh(3);
    const spec = { ...mesh.spec, allow: [mesh.clusters[0]!.ref.name] };
    const run: FakeMesh["run"] = (process) => ({ ...mesh.run(process), spec });
    return { mesh: { ...mesh, spec, run }, rest: mesh.clusters.slice(0, 1) };
  };

  it("shows on a terminal what it confirms and what goes, asks, and takes a no for a no", async () => {
    const { mesh } = await aNarrowedMesh();
    const said = await call(mesh, "sync --confirm NotConfigured", { answer: false });
    expect([said.code, said.out, said.questions]).toEqual([1, "", ["Continue?"]]);
    for (const cluster of [1, 2])
      expect(said.err).toContain(`NotConfigured waits: members hold credentials of ${idOf(mesh, cluster)}`);
    expect(said.err).toMatch(/^With the confirmation it deletes 12 objects, updates 2 objects, in m1, /m);
    await expectJoined(mesh);
  });

  it.each([
    ["sync --confirm NotConfigured", { answer: true }, 1],
    ["sync --confirm NotConfigured", {}, 0],
    ["sync --confirm NotConfigured -o json", { answer: false }, 0],
  ] as const)("does it after a yes, and where nobody can be asked: %s %j", async (args, terminal, asked) => {
    const { mesh, rest } = await aNarrowedMesh();
    const { code, questions } = await call(mesh, args, terminal);
    expect([code, questions.length]).toEqual([0, asked]);
    await expectJoined(mesh, rest);
  });

  it.each(["MassDrain", "RollOutWaits", "IngressInUse"])(
    "asks nothing where nothing waits for it, and confirms nothing: %s",
    async (reason) => {
      const mesh = await aJoinedMesh(2);
      const before = versionsOf(mesh);
      const { code, err, questions } = await call(mesh, `sync --confirm ${reason}`, { answer: false });
      expect([code, questions]).toEqual([0, []]);
      expect(err).toContain(`nothing waits for ${reason}`);
      expect(versionsOf(mesh)).toEqual(before);
    },
  );

  it("asks before the ingresses end, which a plain look does not see", async () => {
    const on = await aMesh({ members: 2, spec: { ingress: "on" } });
    await on.reconcile("mesh");
    const spec = { ...on.spec, ingress: "off" } as const;
    const run: FakeMesh["run"] = (process) => ({ ...on.run(process), spec });
    const mesh: FakeMesh = { ...on, spec, run };
    const before = versionsOf(mesh);
    const { code, err, questions } = await call(mesh, "sync --confirm IngressInUse", { answer: false });
    expect([code, questions]).toEqual([1, ["Continue?"]]);
    expect(err).toContain(`IngressInUse waits: ${idOf(mesh, 0)} should have no ingress`);
    expect(versionsOf(mesh)).toEqual(before);
  });

  it("names the silent member whose pods a roll-out would lose", async () => {
    const mesh = await aJoinedMesh(3);
    mesh.servers[2]!.faults.unreachable = true;
    const { code, err, questions } = await call(mesh, "sync --confirm RollOutWaits", { answer: false });
    expect([code, questions]).toEqual([1, ["Continue?"]]);
    expect(err).toContain("loses the pods of m3, whose API server is silent");
  });

  it("is shown by a plan with the same confirmation", async () => {
    const { mesh } = await aNarrowedMesh();
    const plan = async (args: string): Promise<Plan> => JSON.parse((await call(mesh, args)).out);
    const deletes = ({ actions }: Plan) => actions.filter(({ verb }) => verb === "delete").length;
    expect(deletes(await plan("plan -o json"))).toBe(0);
    expect(deletes(await plan("plan --confirm NotConfigured -o json"))).toBe(12);
    await expectJoined(mesh);
  });
});

describe("join and leave", () => {
  it("label a cluster and make it a member, and the other way round", async () => {
    const mesh = await aMesh({ members: 2 });
    const newcomer = aCluster({ name: "m3", labels: { team: "a" } });
    mesh.add(newcomer);
    await mesh.reconcile("mesh");

    const joined = await call(mesh, `join ${idOf(mesh, 2)}`);
    expect(joined).toMatchObject({ code: 0, err: expect.stringContaining("is now labelled mesh_id=prod") });
    expect(labelsOf(mesh, 2)).toEqual({ team: "a", mesh_id: "prod" });
    await expectJoined(mesh);
    expect(await call(mesh, `join ${idOf(mesh, 2)}`)).toMatchObject({
      code: 0,
      err: expect.stringContaining("labelled already"),
    });

    const left = await call(mesh, "leave projects/shop/regions/europe-west1/clusters/m3 -o json --yes");
    expect([left.code, outcomeOf(left)]).toEqual([0, "deleted"]);
    expect(labelsOf(mesh, 2)).toEqual({ team: "a" });
    await expectJoined(mesh, mesh.clusters.slice(0, 2));
    expect(await call(mesh, `leave ${idOf(mesh, 2)} --yes`)).toMatchObject({
      code: 0,
      err: expect.stringContaining("has no label mesh_id"),
    });
  });

  it.each([
    ["belongs to another mesh", { labels: { mesh_id: "test" } }, 1, "belongs to mesh test"],
    ["is being created", { labels: {}, status: "PROVISIONING" }, 3, "join it once it runs"],
    ["is being deleted", { labels: {}, status: "STOPPING" }, 1, "name another cluster"],
    ["has failed", { labels: {}, status: "ERROR" }, 1, "mend the cluster"],
  ] as const)("do not label a cluster that %s", async (_, seed, code, words) => {
    const mesh = await aMesh({ clusters: [aCluster({ name: "odd", ...seed })] });
    for (const command of ["join", "label"]) {
      const ended = await call(mesh, `${command} ${idOf(mesh, 0)}`);
      expect(ended).toMatchObject({ code, out: "", err: expect.stringContaining(words) });
      expect(labelsOf(mesh, 0)).toEqual(seed.labels);
    }
  });

  it("do not label a cluster that the allow-list leaves out", async () => {
    const mesh = await aMesh({ clusters: [aCluster({ labels: {} })], spec: { allow: ["shop-*"] } });
    for (const command of ["join", "label"]) {
      expect(await call(mesh, `${command} ${idOf(mesh, 0)}`)).toMatchObject({
        code: 2,
        err: expect.stringContaining("MESHJOIN_ALLOW"),
      });
    }
    expect(labelsOf(mesh, 0)).toEqual({});
  });

  it("leave a member of another mesh alone", async () => {
    const mesh = await aMesh({ clusters: [aCluster({ labels: { mesh_id: "test" } })] });
    expect(await call(mesh, `leave ${idOf(mesh, 0)} --yes`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("MESHJOIN_MESH_ID=test"),
    });
    expect(labelsOf(mesh, 0)).toEqual({ mesh_id: "test" });
  });
});

describe("label", () => {
  it.each(["label", "join --label-only"])(
    "sets the label beside the others and leaves the rest to the functions: %s",
    async (command) => {
      const mesh = await aMesh({ members: 2 });
      mesh.add(aCluster({ name: "m3", labels: { team: "a" } }));
      await mesh.reconcile("mesh");
      const before = versionsOf(mesh);

      const ended = await call(mesh, `${command} ${idOf(mesh, 2)} -o json`, { manifest: "missing" });
      expect(ended).toMatchObject({ code: 0, err: "", builds: 0 });
      expect(JSON.parse(lineOf(ended))).toEqual({
        clusterId: idOf(mesh, 2),
        label: { key: "mesh_id", value: "prod" },
        outcome: "updated",
      });
      expect(labelsOf(mesh, 2)).toEqual({ team: "a", mesh_id: "prod" });
      expect(versionsOf(mesh)).toEqual(before);

      await mesh.reconcile("mesh");
      await expectJoined(mesh);
    },
  );

  it("says who goes on; and of a cluster that has it, that nothing was to do", async () => {
    const mesh = await aMesh({ clusters: [aCluster({ labels: {} })] });
    const id = idOf(mesh, 0);
    expect((await call(mesh, `label ${id}`)).out).toBe(
      `${id} is now labelled mesh_id=prod\nThe functions of the mesh make it a member; meshjoin status shows its progress.\n`,
    );
    const again = await call(mesh, `label ${id}`);
    expect([again.code, again.out]).toEqual([
      0,
      `${id} is labelled already: mesh_id=prod\nmeshjoin status shows its progress.\n`,
    ]);
    expect(outcomeOf(await call(mesh, `label ${id} -o json`))).toBe("unchanged");
  });

  it.each(["label", "join"])(
    "takes no cluster that another mesh got while it looked: %s",
    async (command) => {
      const mesh = await aMesh({ clusters: [aCluster({ labels: {} })] });
      const { ref } = mesh.clusters[0]!;
      const found = mesh.directory.peek(ref)!;
      const list = mesh.directory.list.bind(mesh.directory);
      mesh.directory.list = async (...args) => {
        const listed = await list(...args);
        mesh.directory.put({ ...found, labels: { mesh_id: "test" } });
        return listed;
      };
      expect(await call(mesh, `${command} ${idOf(mesh, 0)}`)).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("its label mesh_id is test"),
      });
      expect(labelsOf(mesh, 0)).toEqual({ mesh_id: "test" });
    },
  );
});

describe("a cluster that nobody knows", () => {
  it.each([
    ["a misspelt name of its own", "join eest", "did you mean cn-shop-europe-west1-east?"],
    ["a misspelt ID", "join cn-shop-europe-west1-eats", "did you mean cn-shop-europe-west1-east?"],
    [
      "a misspelt name",
      "leave projects/shop/locations/europe-west1/clusters/eest",
      "cn-shop-europe-west1-east",
    ],
    [
      "nothing like one",
      "plan --cluster !",
      "which have cn-shop-europe-west1-east, cn-shop-europe-west1-warehouse",
    ],
    ["a foreign project", "join projects/bank/locations/l/clusters/c", "add it to MESHJOIN_PROJECTS"],
  ])("is refused with what was probably meant: %s", async (_, args, words) => {
    const mesh = await aMesh({ clusters: [aCluster(), aCluster({ name: "warehouse" })] });
    expect(await call(mesh, args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(words) });
  });

  it("may be in a project that does not answer", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.directory.failNext(new UnavailableError("no answer", { code: "Unavailable" }));
    expect(await call(mesh, "join cn-x")).toMatchObject({
      code: 3,
      err: "error: no answer\ncure: try again\n",
    });
  });
});

describe("output", () => {
  it.each([
    [{ isTTY: true }, true],
    [{ isTTY: false }, false],
    [{ isTTY: true, env: { NO_COLOR: "1" } }, false],
    [{ isTTY: true, env: { NO_COLOR: "" } }, true],
    [{ isTTY: true, env: { TERM: "dumb" } }, false],
  ])("has colours on a terminal alone, if they are wanted: %j", async (terminal, coloured) => {
    const mesh = await aMesh({ members: 1 });
    const { out } = await call(mesh, "plan", terminal);
    expect(out.includes("\u001B[")).toBe(coloured);
  });

  it("is JSON without colours on a terminal", async () => {
    const mesh = await aMesh({ members: 1 });
    expect(planOf(await call(mesh, "plan -o json", { isTTY: true }))).toHaveProperty("actions");
  });

  it("holds nothing secret, whatever is asked", async () => {
    const mesh = await aMesh({ members: 2 });
    for (const command of [
      "plan",
      "sync",
      "status",
      "doctor",
      `leave ${idOf(mesh, 1)} --dry-run`,
      `leave ${idOf(mesh, 1)} --yes`,
      `label ${idOf(mesh, 1)}`,
      `join ${idOf(mesh, 1)}`,
    ]) {
      for (const args of [command, `${command} -o json`]) {
        const { out, err } = await call(mesh, args);
        expect(scrub(out + err)).toBe(out + err);
        expect(out + err).not.toMatch(/BEGIN|token: /);
      }
    }
  });
});

describe("an error", () => {
  it("of the configuration lists every fault, and exits with 2", async () => {
    const env = { MESHJOIN_MESH_ID: "Not An ID", MESHJOIN_PROJECT: "shop" };
    const { code, out, err } = await call(await aMesh(), "sync", { env });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("MESHJOIN_MESH_ID is");
    expect(err).toContain("did you mean MESHJOIN_PROJECTS?");
    expect(err).not.toContain("    at ");
  });

  it("that is known is its message with its cure, and no stack", async () => {
    const mesh = await aMesh({ members: 1 });
    mesh.roots.deleteSecret();
    const { code, out, err } = await call(mesh, "sync");
    expect([code, out, err]).toEqual([1, "", "error: secret prod-root-ca does not exist\ncure: create it\n"]);
  });

  it("that nobody expected says so, with its stack and without what is secret", async () => {
    const mesh = await aMesh({ members: 1 });
    const broken = {
      ...mesh,
      run() {
        throw new TypeError("no such thing as ya29.abc");
      },
    };
    const { code, err } = await call(broken, "status");
    expect(code).toBe(1);
    expect(err).toContain("an unexpected error, a fault of Meshjoin");
    expect(err).toContain("    at ");
    expect(err).not.toContain("ya29.abc");
  });
});

describe("--verbose", () => {
  it("tells of each pair, and the cause of an error, beside the same result", async () => {
    const mesh = await aJoinedMesh(2);
    const [plain, verbose] = [await call(mesh, "sync"), await call(mesh, "-v sync")];
    expect([plain.err, verbose.out]).toEqual(["", plain.out]);
    expect(verbose.err).toContain(`${idOf(mesh, 0)}  reads ${idOf(mesh, 1)}: synced`);
    const cause = new Error("connect ECONNRESET");
    const failure = () => new UnavailableError("it did not answer", { code: "Cancelled", cause });
    mesh.roots.failNext(failure());
    expect((await call(mesh, "status")).err).not.toContain("ECONNRESET");
    mesh.roots.failNext(failure());
    expect((await call(mesh, "--verbose status")).err).toContain("caused by: Error: connect ECONNRESET");
  });
});

describe("the manifest", () => {
  it("is built in the sandbox when it is missing", async () => {
    const { code, builds, err } = await call(await aMesh({ members: 1 }), "sync", { manifest: "missing" });
    expect([code, builds]).toEqual([0, 1]);
    expect(err).toMatch(/^building dist\//);
  });
});
