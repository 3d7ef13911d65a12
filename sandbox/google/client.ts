import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export interface CloudClientOptions {
  readonly project: string;
  readonly containerEndpoint: string;
  readonly secretManagerEndpoint: string;
  readonly accessToken: string;
}

/** What a user of the sandbox does to Google's APIs, with plain requests as `curl` would send them. */
export interface CloudClient {
  /** Resolves when the operation is done; rejects with what the API answers. */
  createCluster(cluster: NewCluster): Promise<void>;
  deleteCluster(location: string, name: string): Promise<void>;
  /** Creates the secret with this payload as version 1 and gives that version an alias. */
  createSecret(
    secretId: string,
    payload: string,
    alias: string,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void>;
}

export interface NewCluster {
  readonly name: string;
  readonly location: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As `gcloud container clusters create-auto` makes it. */
  readonly autopilot?: boolean;
  /** Of the VPC; GKE takes `default`. */
  readonly network?: string;
  /** `false` as with `--gateway-api=disabled`. */
  readonly gatewayApi?: boolean;
}

const POLL_MS = 250;
const operationSchema = z.object({
  name: z.string(),
  status: z.string(),
  error: z.object({ message: z.string() }).optional(),
});
const errorSchema = z.object({ error: z.object({ message: z.string(), status: z.string() }) });

export function createCloudClient(options: CloudClientOptions): CloudClient {
  const call = async (method: string, url: string, body?: object): Promise<unknown> => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${options.accessToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    const { error } = errorSchema.parse(answer);
    throw new Error(`${error.status}: ${error.message}`);
  };
  const gke = (location: string, path: string) =>
    `${options.containerEndpoint}/v1/projects/${options.project}/locations/${location}/${path}`;
  const settled = async (location: string, answer: unknown): Promise<void> => {
    for (let operation = operationSchema.parse(answer); ; ) {
      if (operation.error !== undefined) throw new Error(operation.error.message);
      if (operation.status === "DONE") return;
      await sleep(POLL_MS);
      operation = operationSchema.parse(await call("GET", gke(location, `operations/${operation.name}`)));
    }
  };
  return {
    async createCluster({ name, location, labels, autopilot = false, network, gatewayApi = true }) {
      const answer = await call("POST", gke(location, "clusters"), {
        cluster: {
          name,
          resourceLabels: labels,
          ...(network === undefined ? {} : { network }),
          ...(gatewayApi ? {} : { networkConfig: { gatewayApiConfig: { channel: "CHANNEL_DISABLED" } } }),
          ...(autopilot ? { autopilot: { enabled: true } } : { initialNodeCount: 1 }),
        },
      });
      await settled(location, answer);
    },
    async deleteCluster(location, name) {
      await settled(location, await call("DELETE", gke(location, `clusters/${name}`)));
    },
    async createSecret(secretId, payload, alias, annotations) {
      const secrets = `${options.secretManagerEndpoint}/v1/projects/${options.project}/secrets`;
      await call("POST", `${secrets}?secretId=${secretId}`, { replication: { automatic: {} } });
      const data = Buffer.from(payload).toString("base64");
      await call("POST", `${secrets}/${secretId}:addVersion`, { payload: { data } });
      const change = { versionAliases: { [alias]: "1" }, annotations };
      await call("PATCH", `${secrets}/${secretId}?updateMask=versionAliases,annotations`, change);
    },
  };
}
