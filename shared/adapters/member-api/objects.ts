import { setTimeout as sleep } from "node:timers/promises";
import { FIELD_MANAGER } from "../../core/names.ts";
import { ConflictError, UnavailableError } from "../../errors.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectReader, ObjectRef, ObjectWriter } from "../../ports/member-api.ts";
import type { ApiConnection } from "./connection.ts";
import { collectionPath, objectPath } from "./resources.ts";

const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/** Between two watches that ended early or were refused, so that a server in trouble has a rest. */
const REWATCH_PAUSE_MS = 250;

export function objectReader(api: ApiConnection): ObjectReader {
  return {
    async get(ref, signal) {
      const object = await api.json({
        method: "GET",
        path: objectPath(ref),
        absentIsAnswer: true,
        what: `get ${describe(ref)}`,
        signal,
      });
      return object === undefined ? undefined : asObject(object);
    },
    async list(query, signal) {
      const list = await api.json({
        method: "GET",
        path: collectionPath(query),
        query: selectors(query),
        ...(query.metadataOnly === true ? { accept: METADATA_LIST } : {}),
        what: `list ${query.kind}`,
        signal,
      });
      return itemsOf(list).map((item) => asObject(item, query));
    },
    async until(query, done, signal) {
      let latest: readonly KubernetesObject[] = [];
      while (!signal.aborted) {
        try {
          for await (const objects of watch(api, query, signal)) {
            latest = objects;
            if (done(latest)) return latest;
          }
        } catch (error) {
          if (!signal.aborted && !(error instanceof UnavailableError)) throw error;
        }
        await sleep(REWATCH_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
      return latest;
    },
  };
}

/** Every state of the queried objects: first the existing ones, then after each change. */
async function* watch(
  api: ApiConnection,
  query: ObjectQuery,
  signal: AbortSignal,
): AsyncIterable<readonly KubernetesObject[]> {
  const current = new Map<string, KubernetesObject>();
  const lines = api.lines({
    method: "GET",
    path: collectionPath(query),
    query: { ...selectors(query), watch: "true" },
    ...(query.metadataOnly === true ? { accept: METADATA } : {}),
    what: `watch ${query.kind}`,
    signal,
  });
  for await (const line of lines) {
    if (line === "") continue;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- meta/v1 WatchEvent
    const event = JSON.parse(line) as { type: string; object: unknown };
    if (event.type === "ERROR") return;
    if (event.type === "BOOKMARK") continue;
    const object = asObject(event.object, query);
    const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    if (event.type === "DELETED") current.delete(key);
    else current.set(key, object);
    yield [...current.values()];
  }
}

export function objectWriter(api: ApiConnection): ObjectWriter {
  return {
    async create(object, signal) {
      const ref = refOf(object);
      return asObject(
        await api.json({
          method: "POST",
          path: collectionPath(ref),
          query: { fieldManager: FIELD_MANAGER },
          body: object,
          accept: METADATA,
          what: `create ${describe(ref)}`,
          signal,
        }),
      );
    },
    async replace(object, signal) {
      const ref = refOf(object);
      return asObject(
        await api.json({
          method: "PUT",
          path: objectPath(ref),
          query: { fieldManager: FIELD_MANAGER },
          body: object,
          accept: METADATA,
          what: `replace ${describe(ref)}`,
          signal,
        }),
      );
    },
    async apply(object, options = {}) {
      const ref = refOf(object);
      return asObject(
        await api.json({
          method: "PATCH",
          path: objectPath(ref),
          query: {
            fieldManager: FIELD_MANAGER,
            force: String(options.force ?? false),
            ...(options.dryRun === true ? { dryRun: "All" } : {}),
          },
          contentType: "application/apply-patch+yaml",
          body: object,
          accept: METADATA,
          what: `apply ${describe(ref)}`,
          signal: options.signal,
        }),
      );
    },
    async delete(ref, only, signal) {
      const preconditions = typeof only === "string" ? { uid: only } : only;
      try {
        await api.json({
          method: "DELETE",
          path: objectPath(ref),
          body: { apiVersion: "v1", kind: "DeleteOptions", preconditions },
          what: `delete ${describe(ref)}`,
          signal,
        });
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    },
  };
}

function selectors(query: ObjectQuery): Record<string, string> {
  return {
    ...(query.labelSelector === undefined ? {} : { labelSelector: query.labelSelector }),
    ...(query.fieldSelector === undefined ? {} : { fieldSelector: query.fieldSelector }),
  };
}

function describe(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace === undefined ? "" : `${ref.namespace}/`}${ref.name}`;
}

function refOf(object: KubernetesObject): ObjectRef {
  const { name, namespace } = object.metadata;
  const { apiVersion, kind } = object;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function itemsOf(list: unknown): readonly unknown[] {
  const items = typeof list === "object" && list !== null && "items" in list ? list.items : undefined;
  return Array.isArray(items) ? items : [];
}

/** Items of a typed list have no apiVersion and kind; metadata-only items have those of the metadata. */
function asObject(value: unknown, query?: ObjectQuery): KubernetesObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server's own JSON
  const object = value as KubernetesObject;
  return query === undefined ? object : { ...object, apiVersion: query.apiVersion, kind: query.kind };
}
