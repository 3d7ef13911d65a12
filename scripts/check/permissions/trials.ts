import type { SandboxFleet } from "../../../sandbox/fleet/fleet.ts";
import type { FunctionRole } from "../../../sandbox/google/permissions/granted.ts";
import { ROTATION } from "../../../sandbox/google/pubsub/pubsub.ts";
import { memberApi } from "../../../sandbox/traffic/member-api.ts";
import type { Status } from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { remoteSecretName } from "../../../shared/core/names.ts";

/** Something that a user of Meshjoin relies on; answers whether it has come about. */
export interface Trial {
  readonly name: string;
  attempt(fleet: SandboxFleet, number: number): Promise<boolean>;
}

/** A permission that is taken away, and what can then no longer work. */
export interface Sample {
  readonly role: FunctionRole;
  readonly permission: string;
  readonly trial: Trial;
}

async function call(
  fleet: SandboxFleet,
  name: "sync-mesh" | "on-rotation-request",
  path: string,
  body?: object,
) {
  const url = fleet.file().functions[name];
  if (url === undefined) throw new Error(`the bundle has no function ${name}; build it`);
  return await fetch(url + path, {
    headers: { "content-type": "application/json", "cache-control": "no-cache" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
}

async function statusOf(fleet: SandboxFleet): Promise<Status> {
  const status: Status = JSON.parse(await (await call(fleet, "sync-mesh", "/status")).text());
  return status;
}

async function publish(
  fleet: SandboxFleet,
  data: object,
  publishTime = new Date().toISOString(),
): Promise<void> {
  const { project } = fleet.file();
  const message = {
    messageId: "1",
    publishTime,
    data: Buffer.from(JSON.stringify(data)).toString("base64"),
  };
  const subscription = `projects/${project}/subscriptions/trial`;
  await call(fleet, "on-rotation-request", `/projects/${project}/topics/${ROTATION}`, {
    message,
    subscription,
  });
}

async function sync(fleet: SandboxFleet, scope: object | "mesh"): Promise<Summary | undefined> {
  const answer = await call(fleet, "sync-mesh", "/sync", { scope });
  if (answer.status !== 200) return undefined;
  const summary: Summary = JSON.parse(await answer.text());
  return summary;
}

const JOIN: Trial = {
  name: "a new cluster joins",
  async attempt(fleet, number) {
    const { clusterId } = await fleet.createCluster(`trial-${number}`);
    const summary = await sync(fleet, { clusterId });
    if (summary === undefined) return false;
    const pairs = summary.pairs.filter(({ reader, target }) => [reader, target].includes(clusterId));
    const findings = [...summary.findings, ...summary.members.flatMap((member) => member.findings)];
    return (
      pairs.length > 0 &&
      [summary, ...summary.members, ...pairs].every(
        ({ outcome }) => outcome !== "failed" && outcome !== "waiting",
      ) &&
      findings.every(({ severity }) => severity !== "error")
    );
  },
};

const FORGET: Trial = {
  name: "a cluster that is gone is forgotten",
  async attempt(fleet, number) {
    const [member] = fleet.file().members;
    if (member === undefined) throw new Error("the fleet has no member; start it with one");
    const { clusterId, name } = await fleet.createCluster(`trial-${number}`);
    await sync(fleet, { clusterId });
    await fleet.deleteCluster(name);
    await sync(fleet, "mesh");
    const secrets = await memberApi(member).get<{ items: { metadata: { name: string } }[] }>(
      "/api/v1/namespaces/istio-system/secrets",
    );
    return secrets.items.every((secret) => secret.metadata.name !== remoteSecretName(clusterId));
  },
};

/** An order that is not carried out at once is delivered again, and is the same order. */
const DELIVERIES = 3;

const INTERMEDIATES: Trial = {
  name: "every member gets another intermediate",
  async attempt(fleet) {
    const written = async () =>
      (await statusOf(fleet)).members.map(({ intermediate }) => intermediate.written?.fingerprint);
    const before = new Set(await written());
    const publishTime = new Date().toISOString();
    for (let delivery = 0; delivery < DELIVERIES; delivery += 1) {
      await publish(fleet, { kind: "intermediate", scope: "mesh", reason: "manual" }, publishTime);
      if ((await written()).every((fingerprint) => !before.has(fingerprint))) return true;
    }
    return false;
  },
};

const ROOT: Trial = {
  name: "a root rotation begins",
  async attempt(fleet) {
    await publish(fleet, { kind: "root", action: "start" });
    return (await statusOf(fleet)).rotation.stage !== "idle";
  },
};

export const TRIALS: readonly Trial[] = [JOIN, FORGET, INTERMEDIATES, ROOT];

const needs = (role: FunctionRole, trial: Trial, ...permissions: string[]): Sample[] =>
  permissions.map((permission) => ({ role, permission, trial }));

/**
 * At least one of each kind: the clusters' API, each verb in a cluster, what guards RBAC, tokens, the root
 * secret.
 */
export const SAMPLES: readonly Sample[] = [
  ...needs(
    "reconciler",
    JOIN,
    "container.clusters.connect",
    "container.secrets.list",
    "container.secrets.create",
    "container.namespaces.update",
    "container.podDisruptionBudgets.create",
    "container.deployments.create",
    "container.clusterRoles.escalate",
    "container.roles.bind",
    "container.serviceAccounts.createToken",
    "container.tokenReviews.create",
    "container.pods.portForward",
    "secretmanager.secrets.get",
  ),
  ...needs("reconciler", FORGET, "container.clusters.get", "container.secrets.delete"),
  ...needs("signer", JOIN, "container.clusters.list", "secretmanager.versions.access"),
  ...needs("rotator", INTERMEDIATES, "container.secrets.update", "secretmanager.secrets.update"),
  ...needs("rotator", ROOT, "secretmanager.versions.add"),
];
