import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { logOptionsOf, readLog } from "./container-log.ts";
import type { PodRecord } from "./pod-record.ts";

/** What kube-apiserver asks of the kubelet on behalf of users. */
export interface KubeletServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface KubeletServerOptions {
  readonly certPem: string;
  readonly keyPem: string;
  /** undefined for a pod that the kubelet does not have. */
  readonly recordOf: (namespace: string, pod: string) => PodRecord | undefined;
  /** Unix socket of the program that serves port-forwards. */
  readonly portForwards: string;
}

/** A path is `/KIND/NAMESPACE/POD`, and for some kinds `/CONTAINER`. */
interface Asked {
  readonly kind: string;
  readonly record: PodRecord | undefined;
  readonly container: string;
  readonly url: URL;
}

interface Refusal {
  readonly status: number;
  readonly text: string;
}

const NO_POD: Refusal = { status: 404, text: "pod does not exist" };
const NO_EXEC: Refusal = {
  status: 501,
  text: "the sandbox runs istiod as a process, not in a container, so exec and attach are not there",
};
const NO_LOG: Refusal = {
  status: 400,
  text: "this container is no process in the sandbox, and has no log",
};

/**
 * Container logs and port-forwards; exec and attach are refused. kube-apiserver does not ask who answers and
 * we do not ask who calls: both are one machine's loopback.
 */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const upgraded = new Set<Duplex>();
  const server = createServer({ cert: options.certPem, key: options.keyPem }, (request, response) => {
    answer(asked(request, options), response).catch(() => response.destroy());
  });
  server.on("upgrade", (request, socket, head) => {
    upgraded.add(socket);
    socket.on("close", () => upgraded.delete(socket));
    upgrade(asked(request, options), options.portForwards, { request, socket, head });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the kubelet stand-in has no port; free some local ports");
  }
  return {
    port: address.port,
    async stop() {
      for (const socket of upgraded) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function asked(request: IncomingMessage, { recordOf }: KubeletServerOptions): Asked {
  const url = new URL(request.url ?? "/", "https://kubelet");
  const [, kind = "", namespace = "", pod = "", container = ""] = url.pathname.split("/");
  return { kind, record: recordOf(namespace, pod), container, url };
}

async function answer(question: Asked, response: ServerResponse): Promise<void> {
  if (question.kind === "containerLogs") await sendLog(question, response);
  else refuse(response, refusalOf(question) ?? { status: 400, text: "Upgrade request required" });
}

async function sendLog({ record, container, url }: Asked, response: ServerResponse): Promise<void> {
  if (record === undefined) return refuse(response, NO_POD);
  const options = logOptionsOf(url.searchParams, Date.now());
  const name = record.latest.metadata?.name;
  const report = record.reports.get(container);
  if (report === undefined) return refuse(response, NO_LOG);
  if (options.previous && report.lastState.terminated === undefined) {
    const text = `previous terminated container "${container}" in pod "${name}" not found`;
    return refuse(response, { status: 400, text });
  }
  const log = (record.istiod ?? record.proxy)?.logOf(options);
  if (log === undefined) {
    const text = `container "${container}" in pod "${name}" is waiting to start: ${report.state.waiting?.reason}`;
    return refuse(response, { status: 400, text });
  }
  const ended = new AbortController();
  response.on("close", () => ended.abort());
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  for await (const bytes of readLog(log, options, ended.signal)) response.write(bytes);
  response.end();
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade(question: Asked, portForwards: string, { request, socket, head }: Upgrade): void {
  const refusal = refusalOf(question);
  if (refusal !== undefined) {
    socket.on("error", () => socket.destroy());
    socket.end(refusalBytes(refusal));
    return;
  }
  const { pathname, search } = question.url;
  const upstream = connect(portForwards);
  const path = `${pathname}/${question.record?.latest.metadata?.uid}${search}`;
  upstream.write(`${request.method} ${path} HTTP/1.1\r\n${headerLines(request.rawHeaders)}\r\n`);
  upstream.write(head);
  upstream.pipe(socket).pipe(upstream);
  upstream.on("error", () => socket.destroy());
  socket.on("error", () => upstream.destroy());
  socket.on("close", () => upstream.destroy());
}

function headerLines(rawHeaders: readonly string[]): string {
  return rawHeaders.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join("");
}

/** In the kubelet's words; undefined where it opens a stream. */
function refusalOf({ kind, record, container }: Asked): Refusal | undefined {
  switch (kind) {
    case "portForward":
      return record === undefined ? NO_POD : undefined;
    case "exec":
    case "attach":
      if (record === undefined) return NO_POD;
      return hasContainer(record, container) ? NO_EXEC : noContainer(container);
    default:
      return { status: 404, text: `the sandbox's kubelet has no /${kind}` };
  }
}

function hasContainer({ latest: { spec } }: PodRecord, container: string): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(
    ({ name }) => name === container,
  );
}

function noContainer(container: string): Refusal {
  return { status: 500, text: `container not found ("${container}")` };
}

function refuse(response: ServerResponse, { status, text }: Refusal): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
}

function refusalBytes({ status, text }: Refusal): string {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\n`;
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}
