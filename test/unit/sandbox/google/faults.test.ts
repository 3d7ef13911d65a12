import { afterEach, describe, expect, it } from "@jest/globals";
import { startControlServer } from "../../../../sandbox/google/faults/control-server.ts";
import type { Fault } from "../../../../sandbox/google/faults/faults.ts";
import type { LocalServer } from "../../../../sandbox/google/http/server.ts";
import { aGround, CALLER } from "./stand-ins.ts";

const MEMBER = "cn-shop-europe-west1-b-one";

let open: LocalServer | undefined;
afterEach(async () => open?.close());

/** `enforced`: whether something asks the firewall. */
async function aControlServer(enforced = true) {
  const ground = aGround();
  const memberFaults: Fault[] = [];
  open = await startControlServer({
    ...ground,
    clusterRequests: async () => 3,
    ...(enforced && { firewall: { knows: (name: string) => ["default", MEMBER].includes(name) } }),
    members: {
      set(clusterId, fault) {
        if (clusterId === MEMBER) memberFaults.push(fault);
        return clusterId === MEMBER;
      },
      clearAll: () => memberFaults.splice(0),
    },
  });
  const url = open.url;
  const post = (fault: object) => fetch(`${url}/faults`, { method: "POST", body: JSON.stringify(fault) });
  return { ...ground, memberFaults, post, url };
}

describe("the control server", () => {
  it("puts a fault on an API for as many requests as it says", async () => {
    const { faults, post } = await aControlServer();
    expect((await post({ target: "gke", kind: "refuse", count: 1 })).status).toBe(201);
    expect(faults.take("gke", "refuse")).toBeDefined();
    expect(faults.take("gke", "refuse")).toBeUndefined();
  });

  it("puts a fault on a member, and clears all of them", async () => {
    const { faults, memberFaults, post, url } = await aControlServer();
    await post({ target: MEMBER, kind: "refuse" });
    await post({ target: "secretmanager", kind: "status", status: 503 });
    expect([memberFaults.length, faults.list().length]).toEqual([1, 1]);
    expect((await fetch(`${url}/faults`, { method: "DELETE" })).status).toBe(204);
    expect([memberFaults.length, faults.list().length]).toEqual([0, 0]);
  });

  it.each([
    [
      "a kind that a member cannot do",
      { target: MEMBER, kind: "missingZones", zones: ["x"] },
      400,
      "delay, refuse",
    ],
    ["a status without its number", { target: "gke", kind: "status" }, 400, "needs status"],
    ["events on Secret Manager", { target: "secretmanager", kind: "delayEvents", delayMs: 1 }, 400, "refuse"],
    ["a word that is no kind", { target: "gke", kind: "explode" }, 400, "kind"],
    ["a field that is none", { target: "gke", kind: "refuse", often: true }, 400, "often"],
    ["a firewall's fault of half a pair", { target: "firewall", from: MEMBER }, 400, "needs to"],
    ["one between places that are not there", { target: "firewall", from: MEMBER, to: "x" }, 400, "x is no"],
    ["a count of it", { target: "firewall", from: MEMBER, to: "default", count: 1 }, 400, "count does not"],
    ["a member that is not there", { target: "cn-x", kind: "refuse" }, 404, "cn-x"],
  ])("refuses %s and says what works", async (_, fault, status, words) => {
    const { post } = await aControlServer();
    const response = await post(fault);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(words);
  });

  it("puts a fault on the firewall, and refuses it where nothing asks the firewall", async () => {
    const fault = { target: "firewall", from: "default", to: MEMBER };
    const { faults, post } = await aControlServer();
    expect((await post(fault)).status).toBe(201);
    expect(faults.list()).toEqual([{ kind: "firewall", ...fault }]);
    await open?.close();
    const without = await aControlServer(false);
    const response = await without.post(fault);
    expect([response.status, without.faults.list()]).toEqual([400, []]);
    expect(await response.text()).toContain("--traffic");
  });

  it("tells who called what", async () => {
    const { ledger, url } = await aControlServer();
    ledger.record(CALLER, "gke");
    const response = await fetch(`${url}/requests?email=${CALLER}`);
    expect(await response.json()).toEqual({
      [CALLER]: {
        gke: 1,
        secretmanager: 0,
        compute: 0,
        projects: 0,
        metadata: 0,
        signer: 0,
        examiner: 0,
        kubernetes: 3,
      },
    });
  });
});
