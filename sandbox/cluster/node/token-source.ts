import type { V1Pod } from "@kubernetes/client-node";
import type { ApiClient } from "../api-client.ts";
import type { TokenRequest } from "./volumes.ts";

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** As the kubelet has it. */
const RENEWED_AFTER = 0.8;

/** Tokens of a pod's ServiceAccount that are bound to the pod, one for each audience, renewed in time. */
export function createTokenSource(api: ApiClient, pod: V1Pod): (request: TokenRequest) => Promise<string> {
  const tokens = new Map<string, { readonly token: string; readonly renewAt: number }>();
  return async (request) => {
    const audience = request.audience ?? "";
    const known = tokens.get(audience);
    if (known !== undefined && Date.now() < known.renewAt) return known.token;
    const { token, expirationTimestamp } = await newToken(api, pod, request);
    const life = Date.parse(expirationTimestamp) - Date.now();
    tokens.set(audience, { token, renewAt: Date.now() + life * RENEWED_AFTER });
    return token;
  };
}

async function newToken(
  api: ApiClient,
  { metadata, spec }: V1Pod,
  { audience, expirationSeconds }: TokenRequest,
): Promise<TokenAnswer["status"]> {
  const { name, namespace, uid } = metadata ?? {};
  const account = spec?.serviceAccountName ?? "default";
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const { status } = await api.create<TokenAnswer>(path, {
    spec: {
      ...(audience !== undefined && { audiences: [audience] }),
      expirationSeconds,
      boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
    },
  });
  return status;
}
