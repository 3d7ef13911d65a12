import { join } from "node:path";
import type { V1ConfigMap } from "@kubernetes/client-node";
import type { ApiClient } from "../cluster/api-client.ts";
import { writeVolume } from "../cluster/node/volumes.ts";
import { NAMESPACE } from "./objects.ts";

/** A pod's volumes that Istio's injection gives to a sidecar, written as a kubelet writes them. */
export interface MountedFiles {
  stop(): void;
}

const ROOT_CONFIG_MAP = "istio-ca-root-cert";
const ROOT_KEY = "root-cert.pem";
/** As the injected volume asks for it. */
const TOKEN_SECONDS = 43_200;
const PATIENCE_MS = 60_000;
const TOKEN_CHECK_MS = 60_000;
/** The kubelet renews after so much of a token's life. */
const RENEW_SHARE = 0.8;

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** Resolves when all files are there; from then on they follow the API server until `stop`. */
export async function mountFiles(api: ApiClient, app: string, root: string): Promise<MountedFiles> {
  const ended = new AbortController();
  let renewAt = 0;
  const writeToken = async (): Promise<void> => {
    if (Date.now() < renewAt) return;
    const { status } = await api.create<TokenAnswer>(
      `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${app}/token`,
      {
        spec: {
          audiences: ["istio-ca"],
          expirationSeconds: TOKEN_SECONDS,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name: app },
        },
      },
    );
    const tokens = join(root, "var/run/secrets/tokens");
    await writeVolume(tokens, new Map([["istio-token", Buffer.from(status.token)]]));
    renewAt = Date.now() + (Date.parse(status.expirationTimestamp) - Date.now()) * RENEW_SHARE;
  };

  const firstRoot = Promise.withResolvers<void>();
  let writing = Promise.resolve();
  const writeRoot = (pem: string): void => {
    const volume = new Map([[ROOT_KEY, Buffer.from(pem)]]);
    writing = writing.then(() => writeVolume(join(root, "var/run/secrets/istio"), volume));
    writing.then(firstRoot.resolve, firstRoot.reject);
  };
  api.follow<V1ConfigMap>(
    `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    (_uid, object) => {
      const pem = object?.metadata?.name === ROOT_CONFIG_MAP ? object.data?.[ROOT_KEY] : undefined;
      if (pem !== undefined) writeRoot(pem);
    },
    ended.signal,
  );

  const labels = [`app="${app}"`, 'security.istio.io/tlsMode="istio"'].join("\n");
  await writeVolume(join(root, "etc/istio/pod"), new Map([["labels", Buffer.from(labels)]]));
  await writeToken();
  const patience = setTimeout(() => {
    firstRoot.reject(new Error(`istiod has not written ConfigMap ${ROOT_CONFIG_MAP}; see its log`));
  }, PATIENCE_MS);
  await firstRoot.promise.finally(() => clearTimeout(patience));
  const renewal = setInterval(() => {
    writeToken().catch(() => undefined);
  }, TOKEN_CHECK_MS);
  renewal.unref();
  return {
    stop() {
      ended.abort();
      clearInterval(renewal);
    },
  };
}
