import type { Writable } from "node:stream";
import type { KubernetesObject } from "../../../../../shared/ports/kubernetes-object.ts";
import type { ObjectQuery } from "../../../../../shared/ports/member-api.ts";
import type { ObjectStore } from "../object-store.ts";
import { json } from "./objects.ts";

/**
 * Without a resourceVersion it sends the present objects first, as ADDED. Then it sends each change, a line
 * each, until the client goes.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch
 */
export function serveWatch(
  store: ObjectStore,
  query: ObjectQuery,
  metadataOnly: boolean,
  response: Writable,
): void {
  let told = new Map<string, KubernetesObject>();
  const tell = () => {
    const now = new Map(store.list(query).map((object) => [keyOf(object), object]));
    for (const [key, object] of told) {
      if (!now.has(key)) send("DELETED", object);
    }
    for (const [key, object] of now) {
      const before = told.get(key);
      if (before === undefined) send("ADDED", object);
      else if (before !== object) send("MODIFIED", object);
    }
    told = now;
  };
  const send = (type: string, object: KubernetesObject) => {
    response.write(`{"type":"${type}","object":${json(object, metadataOnly)}}\n`);
  };
  const forget = store.onChange(tell);
  response.on("close", forget);
  tell();
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
