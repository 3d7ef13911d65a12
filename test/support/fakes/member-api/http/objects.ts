import { FIELD_MANAGER } from "../../../../../shared/core/names.ts";
import type { KubernetesObject } from "../../../../../shared/ports/kubernetes-object.ts";
import type { ObjectQuery, SeenVersion } from "../../../../../shared/ports/member-api.ts";
import { conflict, notFound } from "../errors.ts";
import type { ObjectStore } from "../object-store.ts";
import type { Target } from "./target.ts";

/** A request about objects. */
export interface ObjectCall {
  readonly method: string;
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly metadataOnly: boolean;
}

export interface Answer {
  readonly http: number;
  /** JSON. */
  readonly body: string;
}

export function queryOf({ target, query }: Pick<ObjectCall, "target" | "query">): ObjectQuery {
  const { apiVersion, kind, namespace } = target;
  const labelSelector = query.get("labelSelector");
  const fieldSelector = query.get("fieldSelector");
  return {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === null ? {} : { labelSelector }),
    ...(fieldSelector === null ? {} : { fieldSelector }),
  };
}

/** What an API server does with one; fails with the fake's errors. */
export function answerObject(store: ObjectStore, call: ObjectCall): Answer {
  const { target, metadataOnly } = call;
  const { name } = target;
  if (name === undefined) {
    if (call.method === "GET") return list(store, call);
    if (call.method === "POST")
      return written(201, store.create(objectOf(call), managerOf(call)), call, store);
    return { http: 405, body: "{}" };
  }
  const what = `${target.plural} "${name}"`;
  const ref = { ...queryOf(call), name };
  const found = store.get(ref);
  switch (call.method) {
    case "GET":
      if (found === undefined) throw notFound(what);
      return { http: 200, body: json(found, metadataOnly) };
    case "PUT":
      return written(200, store.replace(objectOf(call), managerOf(call)), call, store);
    case "PATCH": {
      const options = {
        force: call.query.get("force") === "true",
        dryRun: call.query.get("dryRun") === "All",
        manager: managerOf(call),
      };
      const applied = store.apply(objectOf(call), options);
      return written(found === undefined ? 201 : 200, applied, call, store);
    }
    case "DELETE": {
      if (found === undefined) throw notFound(what);
      const { uid, resourceVersion } = preconditionOf(call.body);
      const isOther = uid !== undefined && uid !== found.metadata.uid;
      const hasChanged = resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion;
      if (isOther || hasChanged) throw conflict(`delete ${what}`);
      store.delete(ref);
      return { http: 200, body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Success" }) };
    }
    default:
      return { http: 405, body: "{}" };
  }
}

function list(store: ObjectStore, call: ObjectCall): Answer {
  const items = store.list(queryOf(call)).map((object) => listed(object, call.metadataOnly));
  const { apiVersion, kind } = call.target;
  const head = call.metadataOnly
    ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
    : { kind: `${kind}List`, apiVersion };
  const metadata = { resourceVersion: store.resourceVersion };
  const body = `${JSON.stringify({ ...head, metadata }).slice(0, -1)},"items":[${items.join(",")}]}`;
  return { http: 200, body };
}

const texts = new WeakMap<KubernetesObject, string>();

/**
 * Items of a typed list come without apiVersion and kind. The store answers the same object until it changes.
 */
function listed(object: KubernetesObject, metadataOnly: boolean): string {
  if (!metadataOnly) {
    const { apiVersion: _, kind: __, ...item } = object;
    return JSON.stringify(item);
  }
  const known = texts.get(object) ?? json(object, true);
  texts.set(object, known);
  return known;
}

export function json(object: KubernetesObject, metadataOnly: boolean): string {
  const { metadata } = object;
  const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
  return JSON.stringify(metadataOnly ? partial : object);
}

/** The store answers a write with metadata; who asks for more gets the object as it is now. */
function written(http: number, metadata: KubernetesObject, call: ObjectCall, store: ObjectStore): Answer {
  if (call.metadataOnly) return { http, body: json(metadata, true) };
  const whole = store.get({ ...queryOf(call), name: metadata.metadata.name });
  return { http, body: json(whole ?? metadata, false) };
}

function objectOf({ body }: ObjectCall): KubernetesObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the client says is an object
  return body as KubernetesObject;
}

function managerOf({ query }: ObjectCall): string {
  return query.get("fieldManager") ?? FIELD_MANAGER;
}

/** meta/v1 DeleteOptions. */
function preconditionOf(body: unknown): Partial<SeenVersion> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field is optional
  return (body as { preconditions?: Partial<SeenVersion> } | undefined)?.preconditions ?? {};
}
