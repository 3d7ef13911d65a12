import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { followForever } from "./follow.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";

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

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export function createApiClient({ server, caPem, token }: ApiClientOptions): ApiClient {
  const agent = new Agent({ ca: caPem, keepAlive: true });

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
    if (status < 300) return response;
    response.resume();
    throw new ApiError(status, `${call.method} ${call.path}`);
  };

  const call = async <T>(options: Call): Promise<T> => JSON.parse(await text(await open(options)));

  return {
    get: (path) => call({ method: "GET", path }),
    create: (path, body) => call({ method: "POST", path, body }),
    async mergePatch(path, body) {
      await call({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    },
    async delete(path, options) {
      await call({ method: "DELETE", path, body: options });
    },
    follow(path, onChange, signal) {
      const get = (from: string) => open({ method: "GET", path: from, signal });
      void followForever({ path, get, onChange, signal });
    },
  };
}
