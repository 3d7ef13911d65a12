import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { request as http } from "node:http";
import { request as https } from "node:https";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { shellLine } from "../../sandbox/fleet/command-line.ts";
import type { FleetMember } from "../../sandbox/google/member.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { ROOT } from "../../scripts/paths.ts";
import type { Finding } from "../../shared/core/answers/finding.ts";
import { isRecord } from "../../shared/is-record.ts";
import { place } from "./world/command-line.ts";
import { membersOf, SCENARIO_MS, useFleet } from "./world/fleet.ts";
import { clearFaults, setFault } from "./world/google.ts";
import { kubectl, list } from "./world/kubectl.ts";
import { eventually } from "./world/mesh.ts";
import { status as statusOf, sync } from "./world/sync-mesh.ts";

const run = promisify(execFile);
const TLS_SECRET = "web";
const world = useFleet({
  members: 2,
  networks: 2,
  traffic: true,
  env: {
    MESHJOIN_CONNECTED_NETWORKS: "meshjoin-sandbox.default+meshjoin-sandbox.network-2",
    MESHJOIN_INGRESS: "on",
    MESHJOIN_INGRESS_TLS_SECRET: TLS_SECRET,
  },
});
const IN_INGRESS = ["-n", "istio-ingress"];
const GATEWAY = ["gateways.gateway.networking.k8s.io", "meshjoin-ingress"];
const PATIENCE_MS = 30_000;
/** The server of the second member, and the one of the first. */
let there: Traffic;
let back: Traffic;

/** The account of the server that answers: `hello` is in the second member, `hello-back` in the first. */
const SERVER = { first: "hello-back", second: "hello" };
/** Of a Service that both members have, each with a server of its own. */
const BOTH = { name: "both", port: 8000 };

function pairOfMembers(): readonly [FleetMember, FleetMember] {
  const [first, second] = membersOf(world.fleet);
  if (first === undefined || second === undefined) throw new Error("there are not two members");
  return [first, second];
}

/** Applies the objects to every member, as users do. */
async function applyEverywhere(name: string, ...objects: readonly object[]): Promise<void> {
  const file = join(dirname(world.fleet.file().logDir), `${name}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await Promise.all(membersOf(world.fleet).map((member) => kubectl(member, "apply", "-f", file)));
}

const SHOP = { namespace: "shop" };
const hostOf = (service: string) => `${service}.shop.svc.cluster.local`;

function httpRoute(service: string, port: number): object {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { ...SHOP, name: service },
    spec: {
      parentRefs: [{ name: "meshjoin-ingress", namespace: "istio-ingress" }],
      hostnames: [`${service}.example.org`],
      rules: [{ backendRefs: [{ name: service, port }] }],
    },
  };
}

function virtualService(service: string): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { ...SHOP, name: `${service}-public` },
    spec: {
      hosts: [`${service}.example.com`],
      gateways: ["istio-ingress/public"],
      http: [{ route: [{ destination: { host: hostOf(service) } }], retries: { attempts: 0 } }],
    },
  };
}

function istioGateway(namespace: string, name: string, servers: readonly object[]): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { namespace, name },
    spec: { selector: { istio: "ingressgateway" }, servers },
  };
}

const PLAIN = { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*.example.com"] };
const SECURE = {
  port: { number: 443, name: "https", protocol: "HTTPS" },
  tls: { mode: "SIMPLE", credentialName: "other" },
  hosts: ["*.example.com"],
};

interface Reply {
  readonly status: number;
  /** The account of the server's sidecar; empty where none answered. */
  readonly server: string;
  readonly certificate: string;
}

/** One request of a user; a connection that fails is status 0. */
async function ask(member: FleetMember, host: string, isSecure = false): Promise<Reply> {
  const { ingress } = membersOf(world.fleet).find(({ name }) => name === member.name) ?? {};
  const port = isSecure ? ingress?.https : ingress?.http;
  if (ingress === undefined || ingress === null || port === undefined || port === null)
    return { status: 0, server: "", certificate: "" };
  const options = { host: ingress.address, port, agent: false, headers: { host }, timeout: 5000 };
  const request = isSecure
    ? https({ ...options, servername: host, rejectUnauthorized: false })
    : http(options);
  const { promise, resolve } = Promise.withResolvers<Reply>();
  request.on("error", () => resolve({ status: 0, server: "", certificate: "" }));
  request.on("timeout", () => request.destroy(new Error("no answer")));
  request.on("response", (response) => {
    const peer = isSecure ? certificateOf(response.socket) : undefined;
    void text(response).then((body) =>
      resolve({
        status: response.statusCode ?? 0,
        server:
          /By=spiffe:\/\/cluster\.local\/ns\/shop\/sa\/(?<account>[^;]+)/.exec(body)?.groups?.["account"] ??
          "",
        certificate: peer?.subject.CN?.toString() ?? "",
      }),
    );
  });
  request.end();
  return await promise;
}

function certificateOf(socket: object): PeerCertificate {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of an https request
  return (socket as TLSSocket).getPeerCertificate();
}

/** At each ingress, in the order of the members, once it is what `holds` wants. */
async function askEach(host: string, holds: (reply: Reply) => boolean, isSecure = false): Promise<Reply[]> {
  return await Promise.all(
    pairOfMembers().map((member) => eventually(() => ask(member, host, isSecure), holds, PATIENCE_MS)),
  );
}

const isFine = ({ status }: Reply) => status === 200;

/** A certificate of its own for one host, as a person makes one. */
async function certificateFor(host: string): Promise<{ readonly cert: string; readonly key: string }> {
  const at = (end: string) => join(dirname(world.fleet.file().logDir), `${host}.${end}`);
  const [cert, key] = [at("crt"), at("key")];
  const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...ec, "-days", "2", "-keyout", key, "-out", cert, ...subject]);
  return { cert, key };
}

async function putSecret(member: FleetMember, name: string, host: string): Promise<void> {
  const { cert, key } = await certificateFor(host);
  const files = [`--cert=${cert}`, `--key=${key}`];
  await kubectl(member, ...IN_INGRESS, "create", "secret", "tls", name, ...files);
}

async function findings(): Promise<readonly Finding[]> {
  const { body } = await sync(world.fleet);
  return [...body.members.flatMap((member) => member.findings), ...body.findings].filter(({ reason }) =>
    reason.startsWith("Ingress"),
  );
}

/** The command line with another configuration; answers what it prints, also if it ends with a fault. */
async function meshjoin(settings: string, ...args: readonly string[]): Promise<string> {
  const { env, cwd } = await place(world.fleet);
  const [flag, script, ...rest] = shellLine(world.fleet, args);
  const line = script?.replace(" && ", ` && export ${settings} && `) ?? "";
  const ended = run("sh", [flag ?? "", line, ...rest], { env, cwd });
  const { stdout } = await ended.catch((error: unknown) => {
    if (isRecord(error) && typeof error["stdout"] === "string") return { stdout: error["stdout"] };
    throw error;
  });
  return stdout;
}

/** The uid of each member's Gateway; undefined where there is none. */
async function gatewayUids(): Promise<readonly (string | undefined)[]> {
  return await Promise.all(
    pairOfMembers().map(async (member) => {
      const found = await list(member, GATEWAY[0] ?? "", ...IN_INGRESS);
      return found.find(({ metadata }) => metadata.name === GATEWAY[1])?.metadata.uid;
    }),
  );
}

beforeAll(async () => {
  there = await startTraffic(world.fleet);
  back = await startTraffic(world.fleet, { isBack: true });
  const [first, second] = pairOfMembers();
  for (const [member, server] of [
    [first, SERVER.first],
    [second, SERVER.second],
  ] as const) {
    const found = await list(member, "services", "-n", "shop", `--field-selector=metadata.name=${server}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
    const { ports = [] } = (found[0]?.["spec"] ?? {}) as { ports?: readonly { targetPort: number }[] };
    const file = join(dirname(world.fleet.file().logDir), `${member.name}-both.json`);
    const port = { name: "http", port: BOTH.port, targetPort: ports[0]?.targetPort };
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...SHOP, name: BOTH.name },
      spec: { selector: { app: server }, ports: [port] },
    };
    await writeFile(file, JSON.stringify(service));
    await kubectl(member, "apply", "-f", file);
  }
}, SCENARIO_MS);

afterAll(async () => {
  await there.stop();
  await back.stop();
});

describe("the ingress of each of two members in two networks", () => {
  it(
    "25.1 serves an HTTPRoute, and an Istio Gateway with a VirtualService, and reaches the servers of both",
    async () => {
      await applyEverywhere(
        "routes",
        httpRoute("hello", there.target.port),
        httpRoute("hello-back", back.target.port),
        istioGateway("istio-ingress", "public", [PLAIN]),
        virtualService("hello"),
        virtualService("hello-back"),
      );
      for (const service of ["hello", "hello-back"])
        for (const domain of ["example.org", "example.com"])
          expect(await askEach(`${service}.${domain}`, isFine)).toEqual([
            { status: 200, server: service, certificate: "" },
            { status: 200, server: service, certificate: "" },
          ]);
      const nobody = pairOfMembers().map((member) => ask(member, "nobody.example.org"));
      expect((await Promise.all(nobody)).map((reply) => reply.status)).toEqual([404, 404]);
    },
    SCENARIO_MS,
  );

  it(
    "25.2 serves 443 where the Secret is there, by its certificate; without it port 80 goes on, and the member is named",
    async () => {
      const [first, second] = pairOfMembers();
      const isMissing = ({ reason }: Finding) => reason === "IngressTlsMissing";
      const missing = (await findings()).filter(isMissing);
      expect(missing.map(({ clusterId }) => clusterId)).toEqual([first.clusterId, second.clusterId]);
      expect((await ask(first, "hello.example.org", true)).status).toBe(0);
      for (const member of [first, second]) await putSecret(member, "other", "hello.example.com");
      await putSecret(second, TLS_SECRET, "hello.example.org");
      await kubectl(first, ...IN_INGRESS, "create", "secret", "generic", TLS_SECRET, "--from-literal=a=b");
      await applyEverywhere("secure", istioGateway("istio-ingress", "public", [PLAIN, SECURE]));

      const inSecond = (host: string) => eventually(() => ask(second, host, true), isFine, PATIENCE_MS);
      expect(await inSecond("hello.example.org")).toEqual({
        status: 200,
        server: "hello",
        certificate: "hello.example.org",
      });
      expect(await inSecond("hello.example.com")).toMatchObject({ certificate: "hello.example.com" });
      const [found, ...others] = (await findings()).filter(isMissing);
      expect([found?.clusterId, others]).toEqual([first.clusterId, []]);
      expect(found?.message).toContain("didn't have expected keys");
      expect(await ask(first, "hello.example.org")).toMatchObject({ status: 200 });

      await kubectl(first, ...IN_INGRESS, "delete", "secret", TLS_SECRET);
      await putSecret(first, TLS_SECRET, "hello.example.org");
      expect(await askEach("hello.example.org", isFine, true)).toMatchObject([
        { status: 200, certificate: "hello.example.org" },
        { status: 200, certificate: "hello.example.org" },
      ]);
      expect(await findings()).toEqual([]);
      const { members } = await statusOf(world.fleet);
      expect(members.map(({ ingress }) => ingress)).toMatchObject([
        { state: "present", up: true, tls: "served" },
        { state: "present", up: true, tls: "served" },
      ]);
    },
    SCENARIO_MS,
  );

  it(
    "25.3 goes on with the servers of the other cluster when those of its own are gone; with none at all it fails",
    async () => {
      const [first, second] = pairOfMembers();
      await applyEverywhere("both", httpRoute(BOTH.name, BOTH.port));
      const replies = await askEach(`${BOTH.name}.example.org`, isFine);
      expect(replies.every(({ server }) => Object.values(SERVER).includes(server))).toBe(true);
      const without = { spec: { selector: { app: "nobody" } } };
      const take = (member: FleetMember) =>
        kubectl(member, "-n", "shop", "patch", "service", BOTH.name, "-p", JSON.stringify(without));
      await take(first);
      const isSecond = ({ server }: Reply) => server === SERVER.second;
      expect(await askEach(`${BOTH.name}.example.org`, isSecond)).toMatchObject([
        { status: 200, server: SERVER.second },
        { status: 200, server: SERVER.second },
      ]);
      await take(second);
      const isBroken = (reply: Reply) => reply.status === 503;
      expect(await askEach(`${BOTH.name}.example.org`, isBroken)).toMatchObject([
        { status: 503 },
        { status: 503 },
      ]);
    },
    SCENARIO_MS,
  );

  it(
    "25.4 does not serve an Istio Gateway of another namespace",
    async () => {
      const servers = [{ ...PLAIN, hosts: ["*.example.net"] }];
      const route = {
        ...virtualService("hello"),
        metadata: { ...SHOP, name: "hello-net" },
        spec: {
          hosts: ["hello.example.net"],
          gateways: ["shop/public"],
          http: [{ route: [{ destination: { host: hostOf("hello") } }] }],
        },
      };
      await applyEverywhere("elsewhere", istioGateway("shop", "public", servers), route);
      const inIngress = istioGateway("istio-ingress", "later", [{ ...PLAIN, hosts: ["later.example.com"] }]);
      const later = {
        ...virtualService("hello"),
        metadata: { ...SHOP, name: "later" },
        spec: {
          hosts: ["later.example.com"],
          gateways: ["istio-ingress/later"],
          http: [{ route: [{ destination: { host: hostOf("hello") } }] }],
        },
      };
      await applyEverywhere("later", inIngress, later);
      expect(await askEach("later.example.com", isFine)).toMatchObject([{ status: 200 }, { status: 200 }]);
      const replies = await Promise.all(pairOfMembers().map((member) => ask(member, "hello.example.net")));
      expect(replies.map((reply) => reply.status)).toEqual([404, 404]);
      const diagnosis = await meshjoin("MESHJOIN_INGRESS=on", "doctor", "-o", "json");
      expect(diagnosis.match(/IngressGatewayIgnored: [^"]*/g)).toEqual(
        pairOfMembers().map(({ clusterId }) =>
          expect.stringMatching(new RegExp(`istiod of ${clusterId} .*: shop/public$`)),
        ),
      );
    },
    SCENARIO_MS,
  );

  it(
    "25.5 is told of while its load balancer has no address, and comes back when a person has deleted it",
    async () => {
      const { fleet } = world;
      const [first] = pairOfMembers();
      await setFault(fleet, { target: first.clusterId, kind: "gatewayAddress" });
      const isPending = (found: readonly Finding[]) =>
        found.some(({ reason }) => reason === "IngressPending");
      const told = await eventually(findings, isPending);
      expect(told.map(({ reason, clusterId }) => [reason, clusterId])).toEqual([
        ["IngressPending", first.clusterId],
      ]);
      const looks = await Promise.all([
        kubectl(first, ...IN_INGRESS, "get", `${GATEWAY[0]},services,pods`),
        kubectl(first, ...IN_INGRESS, "describe", "service", "meshjoin-ingress-istio"),
      ]);
      for (const look of looks) expect(look).toContain("meshjoin-ingress");
      await clearFaults(fleet);
      await kubectl(first, ...IN_INGRESS, "delete", ...GATEWAY);
      expect((await findings()).map(({ reason }) => reason)).toEqual(["IngressMissing"]);
      expect(await askEach("hello.example.org", isFine)).toMatchObject([{ status: 200 }, { status: 200 }]);
      expect(await findings()).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "25.6 serves beside the Service that a load balancer in front of all members takes its endpoints from",
    async () => {
      const file = join(ROOT, "terraform/examples/global-ingress/neg-service.yaml");
      const labels = "-l=kubernetes.io/service-name=meshjoin-ingress-groups";
      for (const member of pairOfMembers()) {
        await kubectl(member, "apply", "-f", file);
        const look = async () => JSON.stringify(await list(member, "endpointslices", ...IN_INGRESS, labels));
        const hasPod = (slices: string) =>
          slices.includes('"ready":true') && slices.includes("meshjoin-ingress-istio");
        expect(hasPod(await eventually(look, hasPod))).toBe(true);
      }
      const replies = Array.from({ length: 5 }, () => askEach("hello.example.org", isFine));
      expect((await Promise.all(replies)).flat().every(isFine)).toBe(true);
      for (const member of pairOfMembers()) await kubectl(member, "delete", "-f", file);
    },
    SCENARIO_MS,
  );

  it(
    "25.7 keeps its 443 until another Secret is there, and without the setting; stays where the configuration wants none, and goes when a person confirms",
    async () => {
      const [one, other] = pairOfMembers();
      const renamed = "MESHJOIN_INGRESS_TLS_SECRET=next";
      const certified = async (...names: readonly string[]) => {
        const seen = await Promise.all(
          [one, other].map((member, index) =>
            eventually(
              () => ask(member, "hello.example.org", true),
              ({ certificate }) => certificate === names[index],
              PATIENCE_MS,
            ),
          ),
        );
        expect(seen.map(({ status, certificate }) => [status, certificate])).toEqual(
          names.map((name) => [200, name]),
        );
      };
      await putSecret(other, "next", "next.example.org");
      expect(await meshjoin(renamed, "sync", "-o", "json")).toContain("no Secret next of type");
      await certified("hello.example.org", "next.example.org");
      await putSecret(one, "next", "next.example.org");
      expect(await meshjoin(renamed, "sync", "-o", "json")).not.toContain("IngressInUse");
      await certified("next.example.org", "next.example.org");
      const without = "MESHJOIN_INGRESS_TLS_SECRET=";
      expect(await meshjoin(without, "sync", "--yes", "-o", "json")).toContain("IngressInUse");
      await meshjoin(without, "sync", "--confirm", "IngressInUse");
      const isClosed = (member: FleetMember) => member.ingress?.https === null;
      const look = async () => membersOf(world.fleet);
      expect((await eventually(look, (seen) => seen.every(isClosed))).every(isClosed)).toBe(true);
      expect(await askEach("hello.example.org", isFine)).toMatchObject([{ status: 200 }, { status: 200 }]);

      const before = await gatewayUids();
      const said = await meshjoin("MESHJOIN_INGRESS=off", "sync", "--deep", "--yes", "-o", "json");
      expect(said).toContain("IngressInUse");
      expect(await gatewayUids()).toEqual(before);
      await meshjoin("MESHJOIN_INGRESS=off", "sync", "--confirm", "IngressInUse");
      expect(await gatewayUids()).toEqual([undefined, undefined]);
      const [first] = pairOfMembers();
      expect(await list(first, "roles,rolebindings,configmaps", ...IN_INGRESS)).toMatchObject([
        { metadata: { name: "istio-ca-crl" } },
        { metadata: { name: "istio-ca-root-cert" } },
        { metadata: { name: "kube-root-ca.crt" } },
      ]);
      expect(await list(first, "secrets", ...IN_INGRESS)).not.toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    "25.8 is not made where a Gateway of its name is somebody else's, which stays",
    async () => {
      const foreign = {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: { namespace: "istio-ingress", name: GATEWAY[1] },
        spec: { gatewayClassName: "istio", listeners: [{ name: "own", port: 81, protocol: "HTTP" }] },
      };
      await applyEverywhere("foreign", foreign);
      const before = await gatewayUids();
      expect((await findings()).map(({ reason }) => reason)).toEqual(["IngressForeign", "IngressForeign"]);
      expect(await gatewayUids()).toEqual(before);
      const [first] = pairOfMembers();
      const found = await list(first, GATEWAY[0] ?? "", ...IN_INGRESS);
      expect(found[0]?.["spec"]).toMatchObject({ listeners: [{ name: "own", port: 81 }] });
    },
    SCENARIO_MS,
  );
});
