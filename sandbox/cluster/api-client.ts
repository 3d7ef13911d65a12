import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** What every Kubernetes object has; the sandbox looks into little else. */
export interface KubernetesObject {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, what: string) {
    super(`kube-apiserver answered ${status} to ${what}`);
    this.name = "ApiError";
    this.status = status;
  }
}

export interface ApiClientOptions {
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
}

/** The few calls that the sandbox's own parts make; paths are those of the REST API. */
export interface ApiClient {
  get<T>(path: string): Promise<T>;
  create<T>(path: string, body: object): Promise<T>;
  mergePatch(path: string, body: object): Promise<void>;
  delete(path: string, options: object): Promise<void>;
  /**
   * Tells `onChange` of every object that is there and of every change after that, until `signal` aborts;
   * `object` is undefined once it is gone. Goes on by itself after a lost connection.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind that lives at the path
  follow<T extends KubernetesObject>(
    path: string,
    onChange: (uid: string, object: T | undefined) => void,
    signal: AbortSignal,
  ): void;
}

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly metadata?: { readonly resourceVersion?: string } };
}

interface ObjectList<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string };
}

const RETRY_MS = 200;

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) {
    text += String(chunk);
  }
  return text;
}

/** Reads a watch until the server ends it; answers the resource version to go on from, undefined to list again. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind that lives at the path
async function readWatch<T extends KubernetesObject>(
  response: IncomingMessage,
  resourceVersion: string,
  onChange: (uid: string, object: T | undefined) => void,
): Promise<string | undefined> {
  let latest = resourceVersion;
  for await (const line of createInterface({ input: response })) {
    const event: WatchEvent<T> = JSON.parse(line);
    if (event.type === "ERROR") {
      return undefined;
    }
    latest = event.object.metadata?.resourceVersion ?? latest;
    if (event.type !== "BOOKMARK") {
      onChange(event.object.metadata?.uid ?? "", event.type === "DELETED" ? undefined : event.object);
    }
  }
  return latest;
}

export function createApiClient({ server, caPem, token }: ApiClientOptions): ApiClient {
  const agent = new Agent({ ca: caPem, keepAlive: true });

  interface Call {
    readonly method: string;
    readonly path: string;
    readonly body?: object;
    readonly contentType?: string;
    readonly signal?: AbortSignal;
  }

  const send = ({ method, path, body, contentType = "application/json", signal }: Call) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      // Without a length node sends the body of a DELETE unframed, and kube-apiserver sees none.
      const payload = body === undefined ? "" : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        "content-type": contentType,
        "content-length": Buffer.byteLength(payload),
      };
      const call = request(
        `${server}${path}`,
        { method, agent, headers, ...(signal && { signal }) },
        resolve,
      );
      call.on("error", reject);
      call.end(payload);
    });

  const open = async (call: Call): Promise<IncomingMessage> => {
    const response = await send(call);
    const status = response.statusCode ?? 0;
    if (status >= 300) {
      response.resume();
      throw new ApiError(status, `${call.method} ${call.path}`);
    }
    return response;
  };

  const call = async <T>(options: Call): Promise<T> => JSON.parse(await textOf(await open(options)));

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the kind that lives at the path
  const followForever = async <T extends KubernetesObject>(
    path: string,
    onChange: (uid: string, object: T | undefined) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    const known = new Set<string>();
    const note = (uid: string, object: T | undefined): void => {
      if (object === undefined) {
        known.delete(uid);
      } else {
        known.add(uid);
      }
      onChange(uid, object);
    };
    let from: string | undefined;
    while (!signal.aborted) {
      try {
        if (from === undefined) {
          const list = await call<ObjectList<T>>({ method: "GET", path, signal });
          const present = new Set(list.items.map((item) => item.metadata?.uid ?? ""));
          for (const uid of known.difference(present)) {
            note(uid, undefined);
          }
          for (const item of list.items) {
            note(item.metadata?.uid ?? "", item);
          }
          from = list.metadata.resourceVersion;
        }
        const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}`;
        const response = await open({ method: "GET", path: `${path}?${query}`, signal });
        from = await readWatch(response, from, note);
      } catch {
        from = undefined;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    get: (path) => call({ method: "GET", path }),
    create: (path, body) => call({ method: "POST", path, body }),
    mergePatch: async (path, body) => {
      await call({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    },
    delete: async (path, options) => {
      await call({ method: "DELETE", path, body: options });
    },
    follow: (path, onChange, signal) => {
      void followForever(path, onChange, signal);
    },
  };
}
