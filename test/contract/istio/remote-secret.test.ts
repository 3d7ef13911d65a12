import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";
import { type Binaries, ensureBinaries } from "../../../sandbox/binaries/build.ts";
import { type RunningCluster, startCluster } from "../../../sandbox/cluster/running-cluster.ts";
import type { Cluster, Endpoint } from "../../../shared/core/cluster/cluster.ts";
import { parsePin } from "../../../shared/istio/pin.ts";
import { remoteSecret } from "../../../shared/istio/secrets.ts";

const BUILD_TIMEOUT_MS = 30 * 60_000;
const CLUSTER_ID = "cn-fleet-europe-west1-north";
const run = promisify(execFile);

let dir: string;
let binaries: Binaries;
let cluster: RunningCluster;

beforeAll(async () => {
  const pin = parsePin(await readFile(new URL("../../../shared/istio/pin.json", import.meta.url), "utf8"));
  binaries = await ensureBinaries((line) => process.stderr.write(`${line}\n`), pin.release);
  dir = await mkdtemp(join(tmpdir(), "meshjoin-remote-secret-"));
  cluster = await startCluster({
    name: "north",
    dir: join(dir, "north"),
    logDir: join(dir, "logs"),
    binaries,
    tokenReviewUrl: "http://127.0.0.1:9/",
    registry: { refusal: () => undefined },
    podCidrIndex: 0,
  });
}, BUILD_TIMEOUT_MS);

afterAll(async () => {
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

interface RemoteSecret {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly stringData: Readonly<Record<string, string>>;
}

async function kubectl(...args: string[]): Promise<void> {
  await run(binaries.kubectl, ["--kubeconfig", cluster.kubeconfigPath, ...args]);
}

/** What istioctl writes for this cluster; its token is a real one of the reader account. */
async function fromIstioctl(): Promise<RemoteSecret> {
  await kubectl("create", "namespace", "istio-system");
  await kubectl("-n", "istio-system", "create", "serviceaccount", "istio-reader-service-account");
  const { stdout } = await run(binaries.istioctl, [
    "create-remote-secret",
    "--kubeconfig",
    cluster.kubeconfigPath,
    "--name",
    CLUSTER_ID,
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared field by field below
  return parseAllDocuments(stdout)[0]?.toJS() as RemoteSecret;
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

describe("a remote secret", () => {
  it("is what istioctl create-remote-secret makes for the same token and address, byte for byte", async () => {
    const theirs = await fromIstioctl();
    const text = theirs.stringData[CLUSTER_ID] ?? "";
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a wrong shape fails the comparison below
    const kubeconfig = parse(text) as Kubeconfig;
    const { server, "certificate-authority-data": caData } = kubeconfig.clusters[0].cluster;
    const endpoint: Endpoint = { kind: "private", server, caData };
    const target: Cluster = {
      ref: { project: "fleet", location: "europe-west1", name: "north" },
      id: "0123",
      status: "RUNNING",
      labels: {},
      network: { project: "fleet", name: "default" },
      vpcNative: true,
      podRanges: { cidrs: [], namesOnly: [] },
      serviceRange: "",
      autopilot: false,
      allowNetAdmin: false,
      privateNodes: false,
      addsNodes: false,
      kubernetesVersion: "1.36.3",
      endpoints: { private: endpoint },
    };
    const ours = remoteSecret({
      meshId: "prod",
      target,
      targetId: CLUSTER_ID,
      endpoint,
      endpointDigest: "d",
      network: "n",
      readerUid: "u",
      grant: { token: kubeconfig.users[0].user.token, expiresAt: new Date(0) },
      now: new Date(0),
    });

    expect(ours.kind).toBe(theirs.kind);
    expect(ours.metadata.name).toBe(theirs.metadata.name);
    expect(ours.metadata.namespace).toBe(theirs.metadata.namespace);
    expect(ours.metadata.labels).toMatchObject(theirs.metadata.labels);
    expect(ours.metadata.annotations).toMatchObject(theirs.metadata.annotations);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Secret
    const data = ours["data"] as Readonly<Record<string, string>>;
    expect(Object.keys(data)).toEqual(Object.keys(theirs.stringData));
    expect(Buffer.from(data[CLUSTER_ID] ?? "", "base64").toString("utf8")).toBe(text);
  });
});
