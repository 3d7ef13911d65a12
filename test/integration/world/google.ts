import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { FleetMember } from "../../../sandbox/google/member.ts";
import { rootSecretName } from "../../../shared/core/names.ts";

const OPERATION_POLL_MS = 100;

async function call(fleet: SandboxFleet, method: string, url: string, body?: object): Promise<unknown> {
  const token = (await readFile(fleet.file().accessTokenFile, "utf8")).trim();
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${JSON.stringify(answer)}`);
  return answer;
}

type ClusterName = Pick<FleetMember, "project" | "location" | "name">;

function locationUrl(fleet: SandboxFleet, { project, location }: ClusterName): string {
  return `${fleet.file().containerEndpoint}/v1/projects/${project}/locations/${location}`;
}

/** Resolves when the creation has begun; what it answers, when it is over. */
export async function beginCreation(
  fleet: SandboxFleet,
  cluster: ClusterName,
  resourceLabels: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const url = locationUrl(fleet, cluster);
  const body = { cluster: { name: cluster.name, initialNodeCount: 1, resourceLabels } };
  return ending(fleet, url, await call(fleet, "POST", `${url}/clusters`, body));
}

/** Resolves when the cluster is STOPPING; what it answers, when it is gone. */
export async function beginDeletion(fleet: SandboxFleet, cluster: ClusterName): Promise<() => Promise<void>> {
  const url = locationUrl(fleet, cluster);
  return ending(fleet, url, await call(fleet, "DELETE", `${url}/clusters/${cluster.name}`));
}

interface Operation {
  readonly name: string;
  readonly status: string;
}

function ending(fleet: SandboxFleet, url: string, begun: unknown): () => Promise<void> {
  return async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an Operation of the GKE API
    for (let operation = begun as Operation; operation.status !== "DONE"; ) {
      await sleep(OPERATION_POLL_MS);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
      operation = (await call(fleet, "GET", `${url}/operations/${operation.name}`)) as Operation;
    }
  };
}

/** Through the GKE API, like `gcloud container clusters update --update-labels`. */
export async function setLabels(
  fleet: SandboxFleet,
  member: ClusterName,
  resourceLabels: Readonly<Record<string, string>>,
): Promise<void> {
  const cluster = `${locationUrl(fleet, member)}/clusters/${member.name}`;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Cluster of the GKE API
  const { labelFingerprint } = (await call(fleet, "GET", cluster)) as { labelFingerprint: string };
  await call(fleet, "POST", `${cluster}:setResourceLabels`, { resourceLabels, labelFingerprint });
}

function secretsUrl(fleet: SandboxFleet): string {
  const { secretManagerEndpoint, project } = fleet.file();
  return `${secretManagerEndpoint}/v1/projects/${project}/secrets`;
}

function rootSecret(fleet: SandboxFleet): string {
  return `${secretsUrl(fleet)}/${rootSecretName(fleet.file().meshId)}`;
}

/** Without any version. */
export async function createRootSecret(fleet: SandboxFleet): Promise<void> {
  const url = `${secretsUrl(fleet)}?secretId=${rootSecretName(fleet.file().meshId)}`;
  await call(fleet, "POST", url, { replication: { automatic: {} } });
}

export async function deleteRootSecret(fleet: SandboxFleet): Promise<void> {
  await call(fleet, "DELETE", rootSecret(fleet));
}

/** The root that signs: PEM certificate and PEM key. */
export async function signingRoot(fleet: SandboxFleet): Promise<Buffer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an AccessSecretVersionResponse
  const { payload } = (await call(fleet, "GET", `${rootSecret(fleet)}/versions/signing:access`)) as {
    payload: { data: string };
  };
  return Buffer.from(payload.data, "base64");
}

/** Adds a version to the root secret; answers its number. */
export async function addRoot(fleet: SandboxFleet, payload: string | Buffer): Promise<string> {
  const data = Buffer.from(payload).toString("base64");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a SecretVersion
  const answer = (await call(fleet, "POST", `${rootSecret(fleet)}:addVersion`, { payload: { data } })) as {
    name: string;
  };
  return answer.name.split("/").at(-1) ?? "";
}

export async function aliasRoots(fleet: SandboxFleet, versionAliases: Readonly<Record<string, string>>) {
  await call(fleet, "PATCH", `${rootSecret(fleet)}?updateMask=versionAliases`, { versionAliases });
}

/** What Meshjoin notes on the root secret, by key. */
export async function rootAnnotations(fleet: SandboxFleet): Promise<Readonly<Record<string, string>>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Secret of Secret Manager
  const { annotations = {} } = (await call(fleet, "GET", rootSecret(fleet))) as {
    annotations?: Record<string, string>;
  };
  return annotations;
}

export async function setRootEnabled(fleet: SandboxFleet, version: string, enabled: boolean): Promise<void> {
  await call(fleet, "POST", `${rootSecret(fleet)}/versions/${version}:${enabled ? "enable" : "disable"}`, {});
}

/** By number: whether the version of the root secret is enabled. */
export async function rootVersions(fleet: SandboxFleet): Promise<Readonly<Record<string, boolean>>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a ListSecretVersionsResponse
  const { versions } = (await call(fleet, "GET", `${rootSecret(fleet)}/versions`)) as {
    versions: { name: string; state: string }[];
  };
  return Object.fromEntries(
    versions.map(({ name, state }) => [name.split("/").at(-1) ?? "", state === "ENABLED"]),
  );
}

export async function setFault(fleet: SandboxFleet, fault: object): Promise<void> {
  const response = await fetch(`${fleet.file().controlUrl}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(fault),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** Through the Compute API, in network `default`; the rule is in force when it resolves. */
export async function createFirewallRule(
  fleet: SandboxFleet,
  name: string,
  sourceRanges: readonly string[],
): Promise<void> {
  const { computeEndpoint, project } = fleet.file();
  const url = `${computeEndpoint}/compute/v1/projects/${project}/global/firewalls`;
  await call(fleet, "POST", url, { name, sourceRanges, allowed: [{ IPProtocol: "tcp" }] });
}

const NEVER_MS = 24 * 3600 * 1000;

/** From now on no audit entry reaches the functions but those that the scenario pushes itself. */
export async function holdEvents(fleet: SandboxFleet): Promise<void> {
  await setFault(fleet, { target: "gke", kind: "delayEvents", delayMs: NEVER_MS });
}

export async function clearFaults(fleet: SandboxFleet): Promise<void> {
  await fetch(`${fleet.file().controlUrl}/faults`, { method: "DELETE" });
}

/**
 * Through the GKE API, like `gcloud container clusters update --workload-policies=allow-net-admin`; resolves
 * when it is in force.
 */
export async function allowNetAdmin(fleet: SandboxFleet, member: ClusterName): Promise<void> {
  const url = locationUrl(fleet, member);
  const update = { desiredAutopilotWorkloadPolicyConfig: { allowNetAdmin: true } };
  await ending(fleet, url, await call(fleet, "PUT", `${url}/clusters/${member.name}`, { update }))();
}
