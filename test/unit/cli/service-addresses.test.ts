import { expect, it } from "@jest/globals";
import { collisions } from "../../../cli/doctor/preflight/service-addresses.ts";

interface Seed {
  readonly ip?: string;
  readonly created?: string;
  readonly port?: object;
}

function aService(fullName: string, { ip = "10.0.0.9", created = "2026-01-01", port = {} }: Seed = {}) {
  const [namespace = "", name = ""] = fullName.split("/");
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name, creationTimestamp: `${created}T00:00:00Z` },
    spec: { clusterIP: ip, ports: [{ port: 5432, ...port }] },
  };
}

const older = { created: "2025-01-01" };

it.each<[string, readonly object[], readonly object[], readonly string[]]>([
  [
    "one, in the cluster of the younger",
    [aService("a/web")],
    [aService("b/db", older)],
    ["east: a/web to b/db"],
  ],
  ["none with addresses of their own", [aService("a/web")], [aService("b/db", { ip: "10.0.0.8" })], []],
  ["none with ports of their own", [aService("a/web")], [aService("b/db", { port: { port: 80 } })], []],
  [
    "none where both clusters have both",
    [aService("a/web"), aService("b/db", { ip: "10.0.0.8" })],
    [aService("b/db", older)],
    [],
  ],
  [
    "none of HTTP by its name",
    [aService("a/web")],
    [aService("b/db", { ...older, port: { name: "http-api" } })],
    [],
  ],
  [
    "none of HTTP by its protocol",
    [aService("a/web")],
    [aService("b/db", { ...older, port: { name: "tcp", appProtocol: "kubernetes.io/h2c" } })],
    [],
  ],
  [
    "one of HTTPS",
    [aService("a/web")],
    [aService("b/db", { ...older, port: { name: "https" } })],
    ["east: a/web to b/db"],
  ],
  ["none of UDP", [aService("a/web")], [aService("b/db", { ...older, port: { protocol: "UDP" } })], []],
  ["none without an address", [aService("a/web", { ip: "None" })], [aService("b/db", { ip: "None" })], []],
  ["of one second, by name", [aService("a/web")], [aService("z/db")], ["east: a/web to z/db"]],
  [
    "of one second and one name, by namespace",
    [aService("a/db")],
    [aService("z/db")],
    ["west: z/db to a/db"],
  ],
])("finds collisions: %s", (_, east, west, expected) => {
  const found = collisions([
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Services of the builder
    { clusterId: "east", services: east as ReturnType<typeof aService>[] },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    { clusterId: "west", services: west as ReturnType<typeof aService>[] },
  ]);
  expect(
    found.map(({ clusterId, service, otherService }) => `${clusterId}: ${service} to ${otherService}`),
  ).toEqual(expected);
});
