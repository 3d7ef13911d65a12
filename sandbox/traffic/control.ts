import { setTimeout as sleep } from "node:timers/promises";
import type { V1Secret } from "@kubernetes/client-node";
import { CACERTS, ISTIO_NAMESPACE } from "../../shared/core/names.ts";
import { issueIntermediate } from "../../shared/pki/intermediate.ts";
import { makeKeyPair, privateKeyPem } from "../../shared/pki/key.ts";
import { makeRoot } from "../../shared/pki/make-root.ts";
import { readSigningRoot } from "../../shared/pki/root.ts";
import { keysInPayloads } from "../../shared/pki/root-keys.ts";
import type { SandboxFleet } from "../fleet/fleet.ts";
import { memberApi } from "./member-api.ts";
import type { StepCounts } from "./tally.ts";
import type { Traffic } from "./traffic.ts";

export const CONTROL_NAME = "wrong order: a new root and an intermediate of it, at once, on one member";

const PATH = `/api/v1/namespaces/${ISTIO_NAMESPACE}/secrets/${CACERTS}`;
const POLL_MS = 200;
/** A certificate that was renewed just before is renewed again within half of its life. */
const FAILURE_PATIENCE_MS = 90_000;
const FAILING_MS = 3000;
const REPAIR_PATIENCE_MS = 120_000;
/** So long without a failure counts as repaired. */
const CALM_MS = 3000;

/**
 * Breaks the traffic as a careless rotation would, to show that its failures are seen. The client's member
 * gets an intermediate of a root that the server's does not trust yet; istiod accepts that. It always puts
 * the former `cacerts` back, after a failure too, and returns when requests succeed again. Nothing of the
 * product takes part.
 */
export async function breakTraffic(fleet: SandboxFleet, traffic: Traffic): Promise<StepCounts> {
  const { meshId, members } = fleet.file();
  const [member] = members;
  if (member === undefined) throw new Error("there is no member to break; use --members 2");
  const api = memberApi(member);
  const { data = {} } = await api.get<V1Secret>(PATH);
  return await traffic.step(CONTROL_NAME, async () => {
    const { failed } = traffic.counts();
    try {
      await api.mergePatch(PATH, { data: { ...data, ...(await careless(data, meshId, member.clusterId)) } });
      await until(() => traffic.counts().failed > failed, FAILURE_PATIENCE_MS);
      await sleep(FAILING_MS);
    } finally {
      await api.mergePatch(PATH, { data });
    }
    await untilCalm(traffic);
  });
}

/** The files of `cacerts` with a root more, and an intermediate that it has signed. */
async function careless(
  data: Readonly<Record<string, string>>,
  meshId: string,
  clusterId: string,
): Promise<Record<string, string>> {
  const now = new Date();
  const root = await makeRoot({ organization: meshId, now });
  const { publicKey, privateKey } = await makeKeyPair("ec-p256");
  const payload = Buffer.from(root.certificate + root.privateKey);
  const certificate = await issueIntermediate({
    root: await readSigningRoot(payload, "the root of the wrong order", keysInPayloads),
    publicKey,
    clusterId,
    now,
    ttl: 3600,
    clockSkew: 60,
  });
  const trusted = Buffer.from(data["root-cert.pem"] ?? "", "base64").toString("utf8");
  const files = {
    "ca-cert.pem": certificate,
    "ca-key.pem": privateKeyPem(privateKey),
    "cert-chain.pem": certificate + root.certificate,
    "root-cert.pem": trusted + root.certificate,
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
  );
}

async function until(holds: () => boolean, patienceMs: number): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end && !holds(); ) await sleep(POLL_MS);
}

async function untilCalm(traffic: Traffic): Promise<void> {
  const calm = () => {
    const last = traffic.lastFailure();
    return last === undefined || Date.now() - Date.parse(last.time) > CALM_MS;
  };
  await sleep(CALM_MS);
  await until(calm, REPAIR_PATIENCE_MS);
  if (!calm()) throw new Error("requests go on failing after cacerts was put back; see the logs of istiod");
}
