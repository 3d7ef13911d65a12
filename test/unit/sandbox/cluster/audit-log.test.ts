import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { countClusterConnections, countClusterRequests } from "../../../../sandbox/cluster/audit-log.ts";

const USER = "reconciler@demo.iam.gserviceaccount.com";
const BEGIN = Date.parse("2026-05-01T10:00:00Z");

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshjoin-audit-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

interface Request {
  readonly id: string;
  readonly from: string;
  readonly at?: number;
  readonly user?: string;
  readonly subresource?: string;
}

async function anAuditLog(requests: readonly Request[]): Promise<string> {
  const lines = requests.map(({ id, from, at = BEGIN, user = USER, subresource }) =>
    JSON.stringify({
      auditID: id,
      requestReceivedTimestamp: new Date(at).toISOString(),
      user: { username: user },
      sourceIPs: [from],
      objectRef: { resource: "pods", ...(subresource === undefined ? {} : { subresource }) },
    }),
  );
  const path = join(dir, "audit.jsonl");
  await writeFile(path, `${lines.join("\n")}\n{"auditID":"half wri`);
  return path;
}

describe("an API server's audit log", () => {
  it("tells how many requests came over how many connections", async () => {
    const path = await anAuditLog([
      { id: "a", from: "127.1.0.1" },
      { id: "b", from: "127.1.0.1" },
      { id: "c", from: "127.1.0.2", subresource: "portforward" },
      { id: "c", from: "127.1.0.2", subresource: "portforward" },
      { id: "d", from: "127.1.0.3", subresource: "portforward" },
    ]);
    expect(await countClusterRequests(path, USER)).toBe(4);
    expect(await countClusterConnections(path, USER)).toEqual({ forRequests: 1, forPortForwards: 2 });
  });

  it("leaves out other users, and what was before", async () => {
    const path = await anAuditLog([
      { id: "a", from: "127.1.0.1", at: BEGIN - 1 },
      { id: "b", from: "127.1.0.2", user: "somebody" },
      { id: "c", from: "127.1.0.3" },
    ]);
    expect(await countClusterRequests(path, USER, BEGIN)).toBe(1);
    expect(await countClusterConnections(path, USER, BEGIN)).toEqual({ forRequests: 1, forPortForwards: 0 });
  });

  it("that is not there holds nothing", async () => {
    expect(await countClusterConnections(join(dir, "none"), USER)).toEqual({
      forRequests: 0,
      forPortForwards: 0,
    });
  });
});
