import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureBinaries } from "../../../sandbox/binaries/build.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { parsePin } from "../../../shared/istio/pin.ts";
import { certificatePem } from "../../../shared/pki/bundle.ts";
import { issueIntermediate } from "../../../shared/pki/intermediate.ts";
import { makeKeyPair, privateKeyPem } from "../../../shared/pki/key.ts";
import { readSigningRoot } from "../../../shared/pki/root.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { kubectl } from "./kubectl.ts";

/** What a person did to a cluster before Meshjoin came. */

const PIN = new URL("../../../shared/istio/pin.json", import.meta.url);
const OUTPUT_MAX = 64 * 1024 * 1024;
const NAMESPACE = ["-n", "istio-system"] as const;

export async function createNamespace(member: FleetMember): Promise<void> {
  await kubectl(member, "create", "namespace", "istio-system");
}

export async function createSecret(
  member: FleetMember,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const literals = Object.entries(files).map(([file, text]) => `--from-literal=${file}=${text}`);
  await kubectl(member, ...NAMESPACE, "create", "secret", "generic", name, ...literals);
}

/** The four files of `cacerts`, with an intermediate of this root. */
export async function cacertsFiles(payload: Buffer): Promise<Readonly<Record<string, string>>> {
  const root = await readSigningRoot(payload, "the test's root", keysInPayloads);
  const { publicKey, privateKey } = await makeKeyPair("ec-p256");
  const hour = 3600;
  const certificate = await issueIntermediate({
    root,
    publicKey,
    clusterId: "by-hand",
    now: new Date(),
    ttl: 1000 * hour,
    clockSkew: hour,
  });
  const rootPem = certificatePem(root.certificate.der);
  return {
    "ca-cert.pem": certificate,
    "ca-key.pem": privateKeyPem(privateKey),
    "cert-chain.pem": certificate + rootPem,
    "root-cert.pem": rootPem,
  };
}

export interface Installation {
  readonly meshId: string;
  readonly clusterName: string;
  readonly network: string;
}

/** `istioctl manifest generate | kubectl apply`, with the namespace labelled as Istio's guide says. */
export async function installIstio(member: FleetMember, installation: Installation): Promise<void> {
  const pin = parsePin(await readFile(PIN, "utf8"));
  const { istioctl } = await ensureBinaries(() => undefined, pin.release);
  const set = {
    profile: "minimal",
    hub: pin.hub,
    tag: pin.tag,
    "values.defaultRevision": "default",
    "values.global.meshID": installation.meshId,
    "values.global.multiCluster.clusterName": installation.clusterName,
    "values.global.network": installation.network,
  };
  const sets = Object.entries(set).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const { stdout } = await promisify(execFile)(istioctl, ["manifest", "generate", ...sets], {
    maxBuffer: OUTPUT_MAX,
  });
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-istio-"));
  try {
    const file = join(directory, "istio.yaml");
    await writeFile(file, stdout);
    const label = `topology.istio.io/network=${installation.network}`;
    await kubectl(member, "label", "namespace", "istio-system", label);
    await kubectl(member, "apply", "-f", file);
    await kubectl(member, ...NAMESPACE, "rollout", "status", "deployment/istiod", "--timeout=90s");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
