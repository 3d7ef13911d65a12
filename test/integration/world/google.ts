import { readFile } from "node:fs/promises";
import type { SandboxFleet } from "../../../sandbox/fleet.ts";
import type { FleetMember } from "../../../sandbox/fleet-file.ts";

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

/** Through the GKE API, like `gcloud container clusters update --update-labels`. */
export async function setLabels(
  fleet: SandboxFleet,
  { project, location, name }: FleetMember,
  resourceLabels: Readonly<Record<string, string>>,
): Promise<void> {
  const cluster = `${fleet.file().containerEndpoint}/v1/projects/${project}/locations/${location}/clusters/${name}`;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Cluster of the GKE API
  const { labelFingerprint } = (await call(fleet, "GET", cluster)) as { labelFingerprint: string };
  await call(fleet, "POST", `${cluster}:setResourceLabels`, { resourceLabels, labelFingerprint });
}

function rootSecret(fleet: SandboxFleet): string {
  const { secretManagerEndpoint, project, meshId } = fleet.file();
  return `${secretManagerEndpoint}/v1/projects/${project}/secrets/${meshId}-root-ca`;
}

/** Adds a version to the root secret; answers its number. */
export async function addRoot(fleet: SandboxFleet, payload: string): Promise<string> {
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

export async function setRootEnabled(fleet: SandboxFleet, version: string, enabled: boolean): Promise<void> {
  await call(fleet, "POST", `${rootSecret(fleet)}/versions/${version}:${enabled ? "enable" : "disable"}`, {});
}

export async function setFault(fleet: SandboxFleet, fault: object): Promise<void> {
  const response = await fetch(`${fleet.file().controlUrl}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(fault),
  });
  if (!response.ok) throw new Error(await response.text());
}

export async function clearFaults(fleet: SandboxFleet): Promise<void> {
  await fetch(`${fleet.file().controlUrl}/faults`, { method: "DELETE" });
}
