import { createHash } from "node:crypto";
import { type LocalServer, listen, readBody, requestUrl } from "../../../sandbox/google/http/server.ts";

/** The message of the refusal of a request that no stand-in answers here. */
export const NOBODY = "nobody answers this here";

export interface CloudProject extends LocalServer {
  /** APIs that were enabled. */
  readonly enabled: Set<string>;
  /** APIs whose own account was asked for. */
  readonly identities: Set<string>;
  /** Files of the bucket `releases`, by name. */
  readonly objects: Map<string, Uint8Array>;
  /** Requests that the stand-in refused as unknown: method, path and body. */
  readonly unserved: string[];
}

interface Asked {
  /** Where it was sent to. */
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

const BUCKET = "releases";

/**
 * What gcloud asks of Service Usage, Resource Manager and Cloud Storage before anything of the sandbox is
 * there, for the owner of a project that is empty. Anything else is refused, and kept.
 */
export async function startCloudProject(project: string): Promise<CloudProject> {
  const state = {
    enabled: new Set<string>(),
    identities: new Set<string>(),
    objects: new Map<string, Uint8Array>(),
    unserved: new Array<string>(),
  };
  const server = await listen(async (request, response) => {
    const url = requestUrl(request);
    const asked = {
      origin: `http://${request.headers.host}`,
      method: request.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body: (await readBody(request)).toString("utf8"),
    };
    const content = mediaOf(state.objects, asked);
    if (content !== undefined) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(content);
      return;
    }
    const answer = answerOf(state, project, asked);
    if (answer === undefined) state.unserved.push(`${asked.method} ${asked.path} ${asked.body}`);
    const refusal = { error: { code: 400, message: NOBODY, status: "INVALID_ARGUMENT" } };
    response
      .writeHead(answer === undefined ? 400 : (answer.status ?? 200), { "content-type": "application/json" })
      .end(JSON.stringify(answer?.body ?? refusal));
  });
  return Object.assign(state, server);
}

interface Answer {
  readonly status?: number;
  readonly body: object;
}

function answerOf(
  state: Pick<CloudProject, "enabled" | "identities" | "objects">,
  project: string,
  { origin, method, path, query, body }: Asked,
): Answer | undefined {
  const done = { body: { name: "operations/noop.DONE_OPERATION", done: true, response: {} } };
  const identity = /\/services\/(?<api>[\w.]+):generateServiceIdentity$/.exec(path)?.groups?.["api"];
  const object = /^\/storage\/v1\/b\/releases\/o\/(?<name>.+)$/.exec(path)?.groups?.["name"];
  if (method === "POST" && path === `/v1/projects/${project}/services:batchEnable`) {
    const { serviceIds }: { serviceIds: string[] } = JSON.parse(body);
    for (const api of serviceIds) state.enabled.add(api);
    return done;
  }
  if (method === "POST" && identity !== undefined) {
    state.identities.add(identity);
    const email = `service-314159265358@gcp-sa-${identity.split(".")[0]}.iam.gserviceaccount.com`;
    return { body: { ...done.body, response: { email, uniqueId: "1" } } };
  }
  if (path === `/v1/projects/${project}:testIamPermissions`) return { body: JSON.parse(body) };
  if (path === `/v1/projects/${project}/services/container.googleapis.com`)
    return { body: { name: path.slice("/v1/".length), state: "ENABLED" } };
  if (method !== "GET") return undefined;
  if (object !== undefined) {
    const content = state.objects.get(object);
    return content === undefined
      ? { status: 404, body: { error: { code: 404, message: `No such object: ${BUCKET}/${object}` } } }
      : { body: objectOf(origin, object, content) };
  }
  if (path === `/storage/v1/b/${BUCKET}/o`) return { body: listOf(origin, state.objects, query) };
  return undefined;
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/list */
function listOf(origin: string, objects: CloudProject["objects"], query: URLSearchParams): object {
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const under = [...objects].filter(([name]) => name.startsWith(prefix));
  const folder = (name: string) => {
    const end = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
    return end === -1 ? undefined : name.slice(0, end + 1);
  };
  const folders = new Set(under.flatMap(([name]) => folder(name) ?? []));
  const files = under.filter(([name]) => folder(name) === undefined);
  return {
    kind: "storage#objects",
    ...(folders.size === 0 ? {} : { prefixes: [...folders] }),
    ...(files.length === 0 ? {} : { items: files.map(([name, content]) => objectOf(origin, name, content)) }),
  };
}

function objectOf(origin: string, name: string, content: Uint8Array): object {
  return {
    kind: "storage#object",
    bucket: BUCKET,
    name,
    id: `${BUCKET}/${name}/1`,
    generation: "1",
    metageneration: "1",
    size: String(content.byteLength),
    md5Hash: createHash("md5").update(content).digest("base64"),
    mediaLink: `${origin}/storage/v1/b/${BUCKET}/o/${encodeURIComponent(name)}?generation=1&alt=media`,
    storageClass: "STANDARD",
  };
}

function mediaOf(objects: CloudProject["objects"], { method, path, query }: Asked): Uint8Array | undefined {
  if (method !== "GET" || query.get("alt") !== "media") return undefined;
  return objects.get(/\/b\/releases\/o\/(?<name>.+)$/.exec(path)?.groups?.["name"] ?? "");
}
