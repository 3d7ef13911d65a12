import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { announceJoins } from "../../../../sandbox/fleet/announce-joins.ts";
import type { FleetMember } from "../../../../sandbox/google/member.ts";
import { eventually } from "../../../integration/world/mesh.ts";

/** Each istiod lists these as synced. */
let synced: string[];
let server: Server;
beforeEach(async () => {
  synced = [];
  server = createServer((_, answer) =>
    answer.end(JSON.stringify(synced.map((id) => ({ id, syncStatus: "synced" })))),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  server.close();
});

function aMember(name: string, runs = true): FleetMember {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    clusterId: name,
    project: "shop",
    location: "europe-west1",
    name,
    labels: {},
    network: "shop.default",
    gateway: null,
    ingress: null,
    kubeconfig: "none",
    istiods: runs ? [{ pod: `istiod-${name}`, pid: 1, http, xds: "127.0.0.1:1" }] : [],
    ...(runs && { istiodHttp: http }),
  };
}

describe("a cluster that joins later", () => {
  it("is announced once all see it, and once", async () => {
    const ended = new AbortController();
    const lines: string[] = [];
    let members = [aMember("east")];
    const announced = announceJoins({
      members: () => members,
      progress: (line) => lines.push(line),
      signal: ended.signal,
      pollMs: 20,
    });
    const said = (count: number, patienceMs = 200) =>
      eventually(
        async () => lines,
        (seen) => seen.length >= count,
        patienceMs,
      );
    synced = ["east"];
    members = [aMember("east"), aMember("west", false)];
    expect(await said(1)).toEqual([]);
    members = [aMember("east"), aMember("west")];
    expect(await said(1)).toEqual([]);
    synced = ["east", "west"];
    const joined = "west (europe-west1) has joined: the mesh has 2 members, all pairs are synced";
    expect(await said(1, 10_000)).toEqual([joined]);
    members = [aMember("east")];
    expect(await said(2)).toEqual([joined]);
    members = [aMember("east"), aMember("west")];
    expect(await said(2, 10_000)).toEqual([joined, joined]);
    ended.abort();
    await announced;
  });
});
