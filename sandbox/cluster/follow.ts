import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesObject } from "./kubernetes-object.ts";

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly metadata?: { readonly resourceVersion?: string } };
}

interface ObjectList<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string };
}

export interface Following<T extends KubernetesObject> {
  /** Of the list in the REST API. */
  readonly path: string;
  /** Rejects on any answer but a good one. */
  readonly get: (path: string) => Promise<IncomingMessage>;
  /** `object` is undefined once it is gone. */
  readonly onChange: (uid: string, object: T | undefined) => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 200;

/**
 * Lists and watches until `signal` aborts, and lists again whenever a watch cannot go on from where the last
 * one ended.
 */
export async function followForever<T extends KubernetesObject>(following: Following<T>): Promise<void> {
  const { path, get, signal } = following;
  const known = new Set<string>();
  const note = (uid: string, object: T | undefined): void => {
    if (object === undefined) known.delete(uid);
    else known.add(uid);
    following.onChange(uid, object);
  };
  let from: string | undefined;
  while (!signal.aborted) {
    try {
      from ??= await readList(await get(path), known, note);
      const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}`;
      from = await readWatch(await get(`${path}?${query}`), from, note);
    } catch {
      from = undefined;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Answers the resource version to watch from. What was `known` and is not in the list is gone. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind that lives at the path
async function readList<T extends KubernetesObject>(
  response: IncomingMessage,
  known: ReadonlySet<string>,
  note: (uid: string, object: T | undefined) => void,
): Promise<string> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the API server writes it
  const list = (await json(response)) as ObjectList<T>;
  const present = new Set(list.items.map((item) => item.metadata?.uid ?? ""));
  for (const uid of known.difference(present)) note(uid, undefined);
  for (const item of list.items) note(item.metadata?.uid ?? "", item);
  return list.metadata.resourceVersion;
}

/**
 * Reads a watch until the server ends it; answers the resource version to go on from, undefined to list
 * again.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind that lives at the path
async function readWatch<T extends KubernetesObject>(
  response: IncomingMessage,
  resourceVersion: string,
  note: (uid: string, object: T | undefined) => void,
): Promise<string | undefined> {
  let latest = resourceVersion;
  for await (const line of createInterface({ input: response })) {
    const event: WatchEvent<T> = JSON.parse(line);
    if (event.type === "ERROR") return undefined;
    latest = event.object.metadata?.resourceVersion ?? latest;
    if (event.type !== "BOOKMARK") {
      note(event.object.metadata?.uid ?? "", event.type === "DELETED" ? undefined : event.object);
    }
  }
  return latest;
}
