import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "@jest/globals";
import { remoteClusters } from "../../../../sandbox/fleet/istiod-sync.ts";
import type { FleetMember } from "../../../../sandbox/google/member.ts";

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

/** An istiod that says this of the clusters that it reads. */
async function anIstiod(view: Readonly<Record<string, string>> | "broken") {
  const rows = Object.entries(view).map(([id, syncStatus]) => ({ id, syncStatus }));
  const server = createServer((_, answer) => answer.end(view === "broken" ? "{" : JSON.stringify(rows)));
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return { pod: `istiod-${port}`, pid: 1, http: `http://127.0.0.1:${port}`, xds: "127.0.0.1:1" };
}

describe("what a member's istiods say of another cluster", () => {
  it.each<[string, Parameters<typeof anIstiod>[0][], string | undefined]>([
    ["both synced", [{ west: "synced" }, { west: "synced" }], "synced"],
    ["one still syncing", [{ west: "synced" }, { west: "syncing" }], "syncing"],
    ["one without it", [{ west: "synced" }, {}], "not in every istiod"],
    ["one without an answer", ["broken", { west: "synced" }], "not in every istiod"],
    ["none with it", [{ east: "synced" }, {}], undefined],
    ["no istiod at all", [], undefined],
  ])("%s", async (_, views, status) => {
    const istiods = await Promise.all(views.map(anIstiod));
    const member: FleetMember = {
      clusterId: "cn-shop-europe-west1-east",
      project: "shop",
      location: "europe-west1",
      name: "east",
      labels: {},
      network: "shop.default",
      gateway: null,
      ingress: null,
      kubeconfig: "none",
      istiods,
    };
    expect((await remoteClusters(member)).get("west")).toBe(status);
  });
});
