import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import type { Status } from "../../../shared/core/answers/status.ts";
import { clusterId, remoteSecretName } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { secretRef } from "../../../shared/istio/secrets.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { shownBy } from "../../support/terminal.ts";
import { call } from "./host.ts";

async function aJoinedMesh(members: number): Promise<FakeMesh> {
  const mesh = await aMesh({ members });
  await mesh.reconcile("mesh");
  return mesh;
}

const idOf = (mesh: FakeMesh, index: number) => clusterId(mesh.clusters[index]!.ref);

async function aBrokenMesh(): Promise<FakeMesh> {
  const mesh = await aJoinedMesh(3);
  const { store } = mesh.servers[1]!;
  for (const index of [0, 2]) store.delete(secretRef(remoteSecretName(idOf(mesh, index))));
  return mesh;
}

async function aDegradedMesh(): Promise<FakeMesh> {
  const mesh = await aJoinedMesh(1);
  mesh.servers[0]!.faults.unreachable = true;
  return mesh;
}

describe("the exit code of status", () => {
  it.each([
    ["whole", () => aJoinedMesh(3), "WHOLE: 3 members, all 6 pairs synced", 0],
    ["degraded", aDegradedMesh, "DEGRADED: 1 member unreachable", 4],
    ["degraded, because it is empty", () => aMesh(), "DEGRADED: no member yet", 4],
    ["broken", aBrokenMesh, "BROKEN: 2 of 6 pairs not synced", 5],
  ] as const)("of a mesh that is %s", async (_, make, verdict, code) => {
    const mesh = await make();
    const shown = await call(mesh, "status --exit-code");
    expect([shown.code, shown.out]).toEqual([code, expect.stringContaining(verdict)]);
    expect((await call(mesh, "status")).code).toBe(0);
    expect((await call(mesh, "status --exit-code -o json")).code).toBe(code);
  });
});

describe("status --wait", () => {
  it.each([
    ["--wait", "waiting for synced: "],
    ["--wait=synced", "waiting for synced: "],
    ["--wait=whole", "waiting for whole: "],
    ["--wait=m1", "waiting for m1: "],
  ])("says once what is missing, and ends when it has come about: %s", async (option, words) => {
    const mesh = await aBrokenMesh();
    const ended = await call(mesh, `status ${option}`, {
      async whileAsleep(ms) {
        if (ms === 15_000) await mesh.reconcile("mesh");
      },
    });
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^WHOLE: /) });
    expect(ended.err.split("\n").filter((line) => line.includes(words))).toHaveLength(1);
    expect(ended.err).toMatch(/ {2}waiting for /);
  });

  it("ends with 3 after the timeout, and shows what there is", async () => {
    let slept = 0;
    const ended = await call(await aBrokenMesh(), "status --wait --timeout 12s", {
      async whileAsleep(ms) {
        slept = ms;
      },
    });
    expect([ended.code, slept]).toEqual([3, 12_000]);
    expect(ended.err).toContain("not reached in 12 s: ");
    expect(ended.out).toMatch(/^BROKEN: /);
  });

  it("waits for a cluster that is not labelled yet, and for one that GKE does not answer about", async () => {
    const mesh = await aJoinedMesh(2);
    mesh.add(aCluster({ name: "m3", labels: {} }));
    const ended = await call(mesh, "status --wait=m3", {
      async whileAsleep(ms) {
        if (ms === 5000) mesh.directory.failNext(new UnavailableError("no answer", { code: "Unavailable" }));
        if (ms !== 10_000) return;
        mesh.directory.put({ ...mesh.clusters[2]!, labels: { mesh_id: "prod" } });
        await mesh.reconcile("mesh");
      },
    });
    expect(ended.code).toBe(0);
    expect(ended.err).toContain(`waiting for m3: ${idOf(mesh, 2)} is no member`);
    expect(ended.err).toContain("waiting for m3: no answer");
  });

  it.each([
    ["does not end by itself", () => undefined],
    ["ends with the run", (signal: AbortSignal) => signal.throwIfAborted()],
  ])(
    "ends a look that is under way when the time is over, and goes by the one before: that %s",
    async (_, end) => {
      const mesh = await aBrokenMesh();
      const list = mesh.directory.list.bind(mesh.directory);
      let hangs = false;
      mesh.directory.list = async (project, signal) => {
        if (!hangs) return await list(project, signal);
        const { promise, reject } = Promise.withResolvers<never>();
        signal?.addEventListener("abort", () => {
          try {
            end(signal);
          } catch {
            reject(new UnavailableError("the call was cancelled", { code: "Cancelled" }));
          }
        });
        return await promise;
      };
      const began = performance.now();
      const ended = await call(mesh, "status --wait --timeout 6s", {
        whileAsleep: async () => {
          hangs = true;
          return await Promise.resolve();
        },
      });
      expect(ended).toMatchObject({ code: 3, out: expect.stringMatching(/^BROKEN: /), abandons: true });
      expect(ended.err).toMatch(/^not reached in 6 s: \S+ reads \S+: /m);
      expect(performance.now() - began).toBeLessThan(4000);

      const blind = await call(mesh, "status --wait=m1 --timeout 1s");
      expect(blind).toMatchObject({ code: 3, out: "" });
      const late = "not reached in 1 s: no look at the mesh was over in that time";
      expect(blind.err).toContain(late);
      const { code, out } = await call(mesh, "status --wait=m1 --timeout 1s -o json");
      expect([code, JSON.parse(out)]).toMatchObject([3, { code: "Cancelled", message: late }]);
    },
  );

  it("takes the mesh for synced only where every cluster is known", async () => {
    const mesh = await aMesh({ members: 2, spec: { projects: ["shop", "zoo"] } });
    await mesh.reconcile("mesh");
    const list = mesh.directory.list.bind(mesh.directory);
    for (const goal of ["synced", "m1"]) {
      let looks = 0;
      mesh.directory.list = async (project, signal) => {
        looks += project === "zoo" ? 1 : 0;
        if (project === "zoo" && looks === 1)
          throw new UnavailableError("no answer", { code: "Unavailable" });
        return await list(project, signal);
      };
      const { code, err } = await call(mesh, `status --wait=${goal}`);
      expect([code, err]).toEqual([0, expect.stringMatching(/waiting for \S+: .*no answer/)]);
    }
  });

  it("is not reached by an empty mesh, and refuses a cluster that there is not", async () => {
    expect(await call(await aMesh(), "status --wait --timeout 1s")).toMatchObject({
      code: 3,
      err: expect.stringContaining("no cluster is a member"),
    });
    expect(await call(await aJoinedMesh(1), "status --wait=m7")).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no cluster m7"),
    });
  });

  it.each([
    "status --wait --watch",
    "status --wait --exit-code",
    "status --wait --timeout soon",
    "status --timeout 5m",
  ])("refuses what does not go together: %s", async (args) => {
    expect((await call(await aMesh(), args)).code).toBe(2);
  });
});

describe("status --watch", () => {
  const untilAsleep = (rounds: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return {
      whileOpen: () => promise,
      async whileAsleep(ms: number) {
        if (ms >= rounds * 5000) resolve();
      },
    };
  };

  it("draws anew in the same place on a terminal, and ends well with Ctrl-C", async () => {
    const { code, out } = await call(await aJoinedMesh(1), "status --watch", {
      isTTY: true,
      ...untilAsleep(2),
    });
    expect(code).toBe(0);
    expect(out.split("\u001B[H\u001B[J").slice(1)).toHaveLength(2);
  });

  it("keeps what was on the terminal before, and scrolls nothing away after that", async () => {
    const rows = 12;
    const before = Array.from({ length: 30 }, (_, line) => `before ${line}`);
    const { out } = await call(await aJoinedMesh(3), "status --watch", {
      isTTY: true,
      columns: 80,
      rows,
      ...untilAsleep(3),
    });
    const { away, screen } = shownBy(`${before.join("\n")}\n${out}`, { rows, columns: 80 });
    expect(away).toEqual(before);
    expect(screen[0]).toMatch(/^WHOLE: /);
    expect(screen).toHaveLength(rows);
    expect(screen.at(-2)).toMatch(/^… \d+ more lines: meshjoin status$/);
  });

  it("writes nothing beside it where probes are asked each time", async () => {
    const mesh = await aMesh({ members: 2, spec: { probe: "on" } });
    for (const _ of [1, 2]) await mesh.reconcile("mesh");
    const { out, err } = await call(mesh, "status --watch", { isTTY: true, ...untilAsleep(2) });
    expect([out.includes("requests pass"), err]).toEqual([true, ""]);
  });

  it("writes one block after the other elsewhere, and goes on where an API is silent", async () => {
    const mesh = await aJoinedMesh(1);
    const ended = await call(mesh, "status --watch", {
      ...untilAsleep(3),
      async whileAsleep(ms) {
        if (ms === 5000) mesh.directory.failNext(new UnavailableError("no answer", { code: "Unavailable" }));
        if (ms >= 15_000) await stop();
      },
      whileOpen: () => stopped,
    });
    expect(ended.out.match(/^WHOLE: /gm)).toHaveLength(2);
    expect([ended.code, ended.out.includes("\u001B"), ended.err]).toEqual([
      0,
      false,
      expect.stringContaining("no answer"),
    ]);
  });

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const stop = async () => resolve();
});

describe("the forms of a status", () => {
  it("are the same object as JSON and as YAML", async () => {
    const mesh = await aJoinedMesh(2);
    const [json, yaml] = [await call(mesh, "status -o json"), await call(mesh, "status -o yaml")];
    const parsed: Status = parse(yaml.out);
    expect(parsed).toEqual(JSON.parse(json.out));
  });

  it.each([
    ["a terminal", { isTTY: true, columns: 62 }, false],
    ["a terminal of unknown width", { isTTY: true, env: { NO_COLOR: "1" } }, false],
    ["a terminal that COLUMNS describes", { isTTY: true, env: { COLUMNS: "200" } }, true],
    ["a pipe", {}, true],
    ["a pipe with COLUMNS", { env: { COLUMNS: "62" } }, false],
  ] as const)("fit %s", async (_, terminal, hasAll) => {
    const { out } = await call(await aJoinedMesh(2), "status", terminal);
    expect(/KUBERNETES +API/.test(out)).toBe(hasAll);
  });
});
