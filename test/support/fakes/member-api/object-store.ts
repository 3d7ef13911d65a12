import { randomUUID } from "node:crypto";
import { FIELD_MANAGER } from "../../../../shared/core/names.ts";
import type { Clock } from "../../../../shared/ports/clock.ts";
import type { KubernetesObject, ManagedFields } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectQuery, ObjectRef, SeenVersion } from "../../../../shared/ports/member-api.ts";
import { alreadyExists, conflict, fieldConflict, namespaceTerminating, notFound } from "./errors.ts";
import { copyOf, isObject, type JsonObject, objectAt, sameJson } from "./json.ts";
import { apply, managedFields, type Owned, type Ownership, sameOwnership, update } from "./managers.ts";
import { matcher } from "./selectors.ts";

/** The objects of one API server: what etcd holds, and the rules that every request obeys. */
export interface ObjectStore {
  get(ref: ObjectRef): KubernetesObject | undefined;
  list(query: ObjectQuery): KubernetesObject[];
  create(object: KubernetesObject, manager?: string): KubernetesObject;
  replace(object: KubernetesObject, manager?: string): KubernetesObject;
  apply(
    object: KubernetesObject,
    options?: { force?: boolean; manager?: string; dryRun?: boolean },
  ): KubernetesObject;
  /** As a controller does: status too, no precondition. */
  write(object: KubernetesObject, manager: string): void;
  delete(ref: ObjectRef, only?: string | Partial<SeenVersion>): void;
  /** Of the last change of anything. */
  readonly resourceVersion: string;
  /** After every change. */
  onChange(listener: () => void): () => void;
  /** Many changes of which listeners hear once, afterwards. */
  batch(change: () => void): void;
  /**
   * The very objects of another store, of one kind: with UIDs and owners, and without the memory of a copy.
   */
  share(from: ObjectStore, kind: string): void;
}

interface Entry extends Owned {
  readonly object: JsonObject & KubernetesObject;
  /** By owner, of its last change. */
  readonly times: ReadonlyMap<string, string>;
}

/** Who writes it owns no field that another manager may write, so only its time counts. */
const STATUS = "status";

function statusFields(times: ReadonlyMap<string, string>): ManagedFields[] {
  const time = times.get(STATUS);
  if (time === undefined) return [];
  return [{ manager: "kube-controller-manager", operation: "Update", time, fieldsV1: { "f:status": {} } }];
}

const contents = new WeakMap<ObjectStore, ReadonlyMap<string, Entry>>();

export function objectStore(clock: Clock): ObjectStore {
  const entries = new Map<string, Entry>();
  const keysOfKind = new Map<string, Set<string>>();
  const listeners = new Set<() => void>();
  let version = 100;
  let inBatch = false;

  function put(key: string, entry: Entry): void {
    entries.set(key, entry);
    const { kind } = entry.object;
    const keys = keysOfKind.get(kind) ?? new Set();
    keysOfKind.set(kind, keys.add(key));
  }

  function drop(key: string): void {
    for (const keys of keysOfKind.values()) keys.delete(key);
    entries.delete(key);
  }

  function tell(): void {
    if (inBatch) return;
    for (const listener of listeners) listener();
  }

  function store(
    key: string,
    next: { object: JsonObject; owners: Ownership },
    before: Entry | undefined,
    by: string,
  ) {
    const object = settleMetadata(next.object, before?.object, clock);
    if (before !== undefined && same(before.object, object) && sameOwnership(before.owners, next.owners)) {
      return answer(before);
    }
    version += 1;
    objectAt(object, "metadata")["resourceVersion"] = String(version);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it came in as one
    const typed = object as Entry["object"];
    const time = `${clock.now().toISOString().slice(0, 19)}Z`;
    const times = new Map(before?.times).set(by, time);
    if (!sameJson(before?.object["status"], typed["status"])) times.set(STATUS, time);
    const entry = { object: typed, owners: next.owners, times };
    put(key, entry);
    tell();
    return answer(entry);
  }

  function assertNamespace(object: KubernetesObject, what: string): void {
    const { namespace } = object.metadata;
    if (namespace === undefined) return;
    const found = entries.get(keyOf({ apiVersion: "v1", kind: "Namespace", name: namespace }));
    if (found === undefined) throw notFound(`${what}: namespace ${namespace}`);
    if (found.object.metadata.deletionTimestamp !== undefined) throw namespaceTerminating(what);
  }

  function remove(ref: ObjectRef): void {
    const entry = entries.get(keyOf(ref));
    if (entry === undefined) return;
    if (ref.kind === "Namespace") {
      // Nothing is made in a namespace that goes.
      if (entry.object.metadata.deletionTimestamp === undefined) put(keyOf(ref), going(entry));
      const within = [...entries.values()].filter(({ object }) => object.metadata.namespace === ref.name);
      for (const { object } of within) remove(refOf(object));
    }
    const held =
      finalizers(entry.object).length > 0 ||
      (ref.kind === "Namespace" &&
        [...entries.values()].some(({ object }) => object.metadata.namespace === ref.name));
    version += 1;
    if (held) put(keyOf(ref), going(entry));
    else drop(keyOf(ref));
    tell();
  }

  function going(entry: Entry): Entry {
    const object = copyOf(entry.object);
    const metadata = objectAt(object, "metadata");
    metadata["deletionTimestamp"] ??= clock.now().toISOString();
    metadata["resourceVersion"] = String(version);
    return { ...entry, object };
  }

  const self: ObjectStore = {
    get(ref) {
      const entry = entries.get(keyOf(ref));
      return entry === undefined ? undefined : told(entry);
    },
    list(query) {
      const matches = matcher(query);
      return [...(keysOfKind.get(query.kind) ?? [])].toSorted().flatMap((key) => {
        const entry = entries.get(key);
        return entry !== undefined && matches(entry.object) ? [told(entry)] : [];
      });
    },
    create(object, manager = FIELD_MANAGER) {
      const ref = refOf(object);
      const what = `${ref.kind} ${ref.name}`;
      assertNamespace(object, `create ${what}`);
      if (entries.has(keyOf(ref))) throw alreadyExists(what);
      const made = update(undefined, defaulted(fromClient(object)), manager);
      return store(keyOf(ref), made, undefined, `Update ${manager}`);
    },
    replace(object, manager = FIELD_MANAGER) {
      const ref = refOf(object);
      const what = `replace ${ref.kind} ${ref.name}`;
      const before = entries.get(keyOf(ref));
      if (before === undefined) throw notFound(what);
      const given = object.metadata.resourceVersion;
      if (given !== undefined && given !== before.object.metadata.resourceVersion) throw conflict(what);
      const replaced = update(before, defaulted(fromClient(object, before)), manager);
      return store(keyOf(ref), replaced, before, `Update ${manager}`);
    },
    apply(object, { force = false, manager = FIELD_MANAGER, dryRun = false } = {}) {
      const ref = refOf(object);
      const what = `${ref.kind} ${ref.name}`;
      const before = entries.get(keyOf(ref));
      const { uid, resourceVersion: given } = object.metadata;
      if (uid !== undefined && uid !== before?.object.metadata.uid) throw conflict(`apply ${what}`);
      if (before !== undefined && given !== undefined && given !== before.object.metadata.resourceVersion) {
        throw conflict(`apply ${what}`);
      }
      if (before === undefined) assertNamespace(object, `apply ${what}`);
      const next = apply(before, fromClient(object), manager, force);
      if ("managers" in next) throw fieldConflict(what, next.managers);
      const applied = { ...next, object: defaulted(next.object) };
      if (dryRun) {
        const settled = settleMetadata(copyOf(applied.object), before?.object, clock);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it came in as one
        return answer({ ...applied, object: settled as Entry["object"], times: before?.times ?? new Map() });
      }
      return store(keyOf(ref), applied, before, `Apply ${manager}`);
    },
    write(object, manager) {
      const key = keyOf(refOf(object));
      const before = entries.get(key);
      const written = update(before, defaulted(copyOf({ ...object })), manager);
      store(key, written, before, `Update ${manager}`);
    },
    delete(ref, only) {
      const { uid, resourceVersion } = entries.get(keyOf(ref))?.object.metadata ?? {};
      if (uid === undefined) return;
      const wanted = typeof only === "string" ? { uid: only } : { ...only };
      const isOther = wanted.uid !== undefined && wanted.uid !== uid;
      const hasChanged = wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion;
      if (!isOther && !hasChanged) remove(ref);
    },
    get resourceVersion() {
      return String(version);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    batch(change) {
      inBatch = true;
      try {
        change();
      } finally {
        inBatch = false;
      }
      tell();
    },
    share(from, kind) {
      for (const [key, entry] of contents.get(from) ?? []) {
        if (entry.object.kind === kind) put(key, entry);
      }
      tell();
    },
  };
  contents.set(self, entries);
  return self;
}

function refOf({ apiVersion, kind, metadata }: KubernetesObject): ObjectRef {
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function keyOf({ kind, namespace = "", name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

function finalizers({ metadata }: JsonObject): readonly unknown[] {
  const list = isObject(metadata) ? metadata["finalizers"] : undefined;
  return Array.isArray(list) ? list : [];
}

/** Status is no client's to write on the main resource. */
function fromClient(object: KubernetesObject, before?: Entry): JsonObject {
  const { status: _, ...rest } = copyOf(object);
  const status = before?.object["status"];
  return { ...rest, ...(status === undefined ? {} : { status }) };
}

/** The defaults that Meshjoin's decisions meet; https://kubernetes.io/docs/reference/kubernetes-api/ */
function defaulted(object: JsonObject): JsonObject {
  if (object["kind"] === "Deployment") objectAt(object, "spec")["replicas"] ??= 1;
  const webhooks = object["webhooks"];
  if (Array.isArray(webhooks)) {
    for (const webhook of webhooks) if (isObject(webhook)) webhook["failurePolicy"] ??= "Fail";
  }
  if (object["kind"] === "Namespace") {
    const metadata = objectAt(object, "metadata");
    objectAt(metadata, "labels")["kubernetes.io/metadata.name"] = metadata["name"];
  }
  return object;
}

const COUNTED = [
  "Deployment",
  "CustomResourceDefinition",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
];

function settleMetadata(object: JsonObject, before: KubernetesObject | undefined, clock: Clock): JsonObject {
  const metadata = objectAt(object, "metadata");
  const was: JsonObject = before === undefined ? {} : { ...before.metadata };
  Reflect.deleteProperty(metadata, "managedFields");
  metadata["uid"] = was["uid"] ?? randomUUID();
  metadata["creationTimestamp"] = was["creationTimestamp"] ?? clock.now().toISOString();
  if (was["deletionTimestamp"] !== undefined) metadata["deletionTimestamp"] = was["deletionTimestamp"];
  metadata["resourceVersion"] = was["resourceVersion"];
  if (COUNTED.includes(String(object["kind"]))) {
    const generation = typeof was["generation"] === "number" ? was["generation"] : 0;
    metadata["generation"] = sameJson(desired(before), desired(object)) ? generation : generation + 1;
  }
  return object;
}

function desired(object: JsonObject | KubernetesObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { metadata: _, status: __, ...rest } = object;
  return rest;
}

function same(a: JsonObject, b: JsonObject): boolean {
  return sameJson(a, b);
}

/** Entries never change, and are read far more often than written. */
const answers = new WeakMap<Entry, KubernetesObject>();

/**
 * The object as clients see it: the same one for all of them, which none can change, until it is another
 * version.
 */
function told(entry: Entry): KubernetesObject {
  const known = answers.get(entry);
  if (known !== undefined) return known;
  const made = frozen({ ...entry.object, metadata: metadataOf(entry) });
  answers.set(entry, made);
  return made;
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

function metadataOf({ object, owners, times }: Entry): KubernetesObject["metadata"] {
  return { ...object.metadata, managedFields: [...managedFields(owners, times), ...statusFields(times)] };
}

function answer(entry: Entry): KubernetesObject {
  const { metadata } = told(entry);
  return { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata };
}
