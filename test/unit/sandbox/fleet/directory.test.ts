import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type FleetFile, fleetWriter } from "../../../../sandbox/fleet/fleet-file.ts";
import { lockDirectory } from "../../../../sandbox/os/directory-lock.ts";
import { createUndo } from "../../../../sandbox/os/undo.ts";
import { renderUsage } from "../../../../sandbox/usage.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sandbox-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fleet: FleetFile = {
  project: "meshjoin-sandbox",
  meshId: "sandbox",
  containerEndpoint: "http://127.0.0.1:1",
  secretManagerEndpoint: "http://127.0.0.1:2",
  computeEndpoint: "http://127.0.0.1:3",
  projectEndpoint: "http://127.0.0.1:5",
  pubsubEmulatorHost: "127.0.0.1:3",
  topics: { clusterEvents: "cluster-events", rotation: "rotation" },
  accessTokenFile: "/sandbox/access-token",
  controlUrl: "http://127.0.0.1:4",
  logDir: "/sandbox/logs",
  clients: { kubectl: "/sandbox/kubectl", istioctl: "/sandbox/istioctl" },
  networks: ["shop.default"],
  functions: {},
  members: [],
};

describe("the lock of a directory", () => {
  it("keeps a second sandbox out until it is released", async () => {
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${process.pid}`);
    await lock.release();
    await (await lockDirectory(directory)).release();
  });

  it("is taken over from a process that is gone", async () => {
    const gone = execFileSync(process.execPath, ["-p", "process.pid"]).toString().trim();
    await writeFile(join(directory, "lock"), gone);
    const lock = await lockDirectory(directory);
    expect(await readFile(join(directory, "lock"), "utf8")).toBe(String(process.pid));
    await lock.release();
  });
});

describe("fleet.json", () => {
  it("holds what was written last, and nothing else is left beside it", async () => {
    const writer = fleetWriter(directory);
    await Promise.all(["a", "b", "c"].map((meshId) => writer.write({ ...fleet, meshId })));
    expect(JSON.parse(await readFile(join(directory, "fleet.json"), "utf8"))).toEqual({
      ...fleet,
      meshId: "c",
    });
    expect(await readdir(directory)).toEqual(["fleet.json"]);
    await writer.remove();
    expect(await readdir(directory)).toEqual([]);
  });

  it("is told to people with everything to paste", () => {
    const usage = renderUsage("/sandbox", fleet, { traffic: undefined, firewall: true });
    expect(usage).toContain(". /sandbox/gcloud.env\n");
    expect(usage).toContain("/sandbox/fleet.json");
    expect(usage).not.toContain("undefined");
    expect(usage).not.toContain("firewall");
  });

  it("says that no request passes where the firewall's rule was left out", () => {
    const usage = renderUsage("/sandbox", fleet, { traffic: undefined, firewall: false });
    expect(usage).toContain("No firewall rule");
    expect(usage).toContain("npm run meshjoin -- doctor\n");
  });
});

describe("undo", () => {
  it("runs in reverse, goes on after a failure, and takes back what comes late", async () => {
    const undo = createUndo();
    const done: string[] = [];
    undo.add(async () => done.push("first"));
    undo.add(() => Promise.reject(new Error("stuck")));
    undo.add(async () => done.push("last"));
    await expect(undo.run()).rejects.toThrow("did not stop");
    undo.add(async () => done.push("late"));
    await undo.run();
    expect(done).toEqual(["last", "first", "late"]);
  });
});
