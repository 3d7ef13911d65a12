import type { V1ConfigMap, V1Secret } from "@kubernetes/client-node";
import type { ApiClient } from "../api-client.ts";
import type { Lookup } from "./container-spec.ts";

type Encoding = "utf8" | "base64";

/**
 * Follows the data of all Secrets and ConfigMaps, and calls for every change of one; answers what looks into
 * a namespace.
 */
export function followData(
  api: ApiClient,
  onChange: (namespace: string) => void,
  signal: AbortSignal,
): (namespace: string) => Lookup {
  const data = new Map<string, ReadonlyMap<string, Buffer>>();
  const keyByUid = new Map<string, string>();

  const note = (kind: string, uid: string, object: V1Secret & V1ConfigMap, encoding: Encoding): void => {
    const { namespace = "", name = "" } = object.metadata ?? {};
    const key = `${kind}/${namespace}/${name}`;
    keyByUid.set(uid, key);
    data.set(key, new Map([...decode(object.data, encoding), ...decode(object.binaryData, "base64")]));
    onChange(namespace);
  };
  const forget = (uid: string): void => {
    const key = keyByUid.get(uid) ?? "";
    keyByUid.delete(uid);
    data.delete(key);
    onChange(key.split("/")[1] ?? "");
  };
  const follow = (kind: "secrets" | "configmaps", encoding: Encoding): void =>
    api.follow<V1Secret & V1ConfigMap>(
      `/api/v1/${kind}`,
      (uid, object) => (object === undefined ? forget(uid) : note(kind, uid, object, encoding)),
      signal,
    );
  follow("secrets", "base64");
  follow("configmaps", "utf8");
  return (namespace) => (kind, name) => data.get(`${kind}/${namespace}/${name}`);
}

function decode(data: Readonly<Record<string, string>> | undefined, encoding: Encoding) {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const);
}
