import { crc32c } from "../../../shared/adapters/crc32c.ts";
import { GoogleError } from "../http/google-error.ts";
import { type RestCall, type RestOptions, type RestRoute, startRestApi } from "../http/rest.ts";
import type { LocalServer } from "../http/server.ts";
import { findProject, type SandboxProject } from "../projects.ts";
import { checkSecretId, parseAliases, parseAnnotations, parseSecretLabels } from "./rules.ts";

/** IAM's permissions of the calls served here; https://cloud.google.com/secret-manager/docs/access-control */
export type SecretPermission = `secretmanager.${"secrets" | "versions"}.${string}`;

export interface SecretManagerOptions extends Omit<RestOptions, "target"> {
  readonly projects: readonly SandboxProject[];
  /** IAM: may this account do that? Everybody may do everything unless given. */
  readonly allows?: (caller: string, permission: SecretPermission) => boolean;
  /** The same, where an account only asks. */
  readonly wouldAllow?: (caller: string, permission: string) => boolean;
  readonly now?: () => Date;
}

interface Version {
  readonly number: number;
  readonly createTime: string;
  readonly state: "ENABLED" | "DISABLED" | "DESTROYED";
  readonly destroyTime?: string;
  readonly checksumSent: boolean;
  readonly data: Buffer;
  readonly etag: string;
}

interface Secret {
  readonly name: string;
  readonly createTime: string;
  readonly replication: object;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly aliases: ReadonlyMap<string, number>;
  readonly versions: readonly Version[];
  readonly etag: string;
}

interface State {
  readonly options: SecretManagerOptions;
  /** By full name under the project's number, as the API answers it. */
  readonly secrets: Map<string, Secret>;
  changes: number;
}

const PAYLOAD_MAX = 64 * 1024;
const SECRETS = "^/v1/projects/(?<project>[^/]+)/secrets";
const SECRET = `${SECRETS}/(?<secret>[^/:]+)`;
const VERSION = `${SECRET}/versions/(?<version>[^/:]+)`;

/** secretmanager.googleapis.com v1 over REST, in memory; global secrets only. */
export function startSecretManager(options: SecretManagerOptions): Promise<LocalServer> {
  const state: State = { options, secrets: new Map(), changes: 0 };
  return startRestApi({ ...options, target: "secretmanager" }, routes(state));
}

function routes(state: State): RestRoute[] {
  const route = (
    method: RestRoute["method"],
    path: string,
    permission: SecretPermission,
    handle: (state: State, call: RestCall) => object,
  ): RestRoute => ({
    method,
    path: new RegExp(`${path}$`),
    handle(call) {
      authorize(state.options, call, permission);
      return handle(state, call);
    },
  });
  const enabled = setVersionState("ENABLED");
  const disabled = setVersionState("DISABLED");
  const destroyed = setVersionState("DESTROYED");
  return [
    route("GET", SECRETS, "secretmanager.secrets.list", listSecrets),
    route("POST", SECRETS, "secretmanager.secrets.create", createSecret),
    route("GET", SECRET, "secretmanager.secrets.get", (s, call) => renderSecret(existing(s, call))),
    route("PATCH", SECRET, "secretmanager.secrets.update", updateSecret),
    route("DELETE", SECRET, "secretmanager.secrets.delete", deleteSecret),
    {
      method: "POST",
      path: new RegExp(`${SECRET}:testIamPermissions$`),
      handle: (call) => testPermissions(state, call),
    },
    route("POST", `${SECRET}:addVersion`, "secretmanager.versions.add", addVersion),
    route("GET", `${SECRET}/versions`, "secretmanager.versions.list", listVersions),
    route("GET", VERSION, "secretmanager.versions.get", getVersion),
    route("GET", `${VERSION}:access`, "secretmanager.versions.access", accessVersion),
    route("POST", `${VERSION}:enable`, "secretmanager.versions.enable", enabled),
    route("POST", `${VERSION}:disable`, "secretmanager.versions.disable", disabled),
    route("POST", `${VERSION}:destroy`, "secretmanager.versions.destroy", destroyed),
  ];
}

function authorize(options: SecretManagerOptions, call: RestCall, permission: SecretPermission): void {
  if (options.allows?.(call.caller, permission) ?? true) return;
  const { project, secret, version } = call.path;
  const resource = [
    `projects/${project}`,
    ...(secret === undefined ? [] : [`secrets/${secret}`]),
    ...(version === undefined ? [] : [`versions/${version}`]),
  ].join("/");
  throw new GoogleError(
    "PERMISSION_DENIED",
    `Permission '${permission}' denied for resource '${resource}' (or it may not exist).`,
  );
}

/**
 * Needs no permission, and knows none on a secret that is not there.
 * https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/testIamPermissions
 */
function testPermissions(state: State, call: RestCall): object {
  const asked = fields(call.body)["permissions"];
  const wrong = (text: string) => new GoogleError("INVALID_ARGUMENT", text);
  if (!Array.isArray(asked) || asked.length === 0) throw wrong("No permissions were given.");
  const permissions = asked.map(String);
  const unknown = permissions.find((each) => !/^secretmanager\.(secrets|versions)\.[a-zA-Z]+$/.test(each));
  if (unknown !== undefined) throw wrong(`Permission ${unknown} is not valid for this resource.`);
  const name = `projects/${findProject(state.options.projects, part(call, "project")).number}/secrets/${part(call, "secret")}`;
  if (!state.secrets.has(name)) return {};
  const granted = permissions.filter((each) => state.options.wouldAllow?.(call.caller, each) ?? true);
  return granted.length === 0 ? {} : { permissions: granted };
}

function createSecret(state: State, call: RestCall): object {
  const { number } = findProject(state.options.projects, part(call, "project"));
  const id = call.query.get("secretId") ?? "";
  checkSecretId(id);
  const name = `projects/${number}/secrets/${id}`;
  if (state.secrets.has(name)) throw new GoogleError("ALREADY_EXISTS", `Secret [${name}] already exists.`);
  const body = fields(call.body);
  const replication = body["replication"];
  if (typeof replication !== "object" || replication === null) {
    throw new GoogleError("INVALID_ARGUMENT", "The replication policy of the secret must be set.");
  }
  return store(state, {
    name,
    createTime: now(state).toISOString(),
    replication,
    labels: parseSecretLabels(body["labels"]),
    annotations: parseAnnotations(body["annotations"]),
    aliases: parseAliases(body["versionAliases"], () => false),
    versions: [],
    etag: nextEtag(state),
  });
}

function listSecrets(state: State, call: RestCall): object {
  const { number } = findProject(state.options.projects, part(call, "project"));
  const found = [...state.secrets.values()].filter(({ name }) => name.startsWith(`projects/${number}/`));
  const { page, nextPageToken } = paginate(found, call);
  return { secrets: page.map(renderSecret), ...nextPageToken, totalSize: found.length };
}

/**
 * Replaces what the mask names; fails with FAILED_PRECONDITION if an etag is sent that is not the current
 * one.
 */
function updateSecret(state: State, call: RestCall): object {
  const secret = existing(state, call);
  const body = fields(call.body);
  checkEtag(body["etag"], secret.etag);
  const mask = (call.query.get("updateMask") ?? "").split(",").filter((path) => path !== "");
  if (mask.length === 0) throw new GoogleError("INVALID_ARGUMENT", "Field [update_mask] must be set.");
  let changed = secret;
  for (const path of mask) changed = { ...changed, ...maskedField(path, body, secret) };
  return store(state, { ...changed, etag: nextEtag(state) });
}

function maskedField(path: string, body: Readonly<Record<string, unknown>>, secret: Secret): Partial<Secret> {
  switch (path) {
    case "versionAliases":
    case "version_aliases": {
      const exists = (version: number) => secret.versions.some(({ number }) => number === version);
      return { aliases: parseAliases(body["versionAliases"], exists) };
    }
    case "annotations":
      return { annotations: parseAnnotations(body["annotations"]) };
    case "labels":
      return { labels: parseSecretLabels(body["labels"]) };
    case "etag":
      return {};
    default:
      throw new GoogleError("INVALID_ARGUMENT", `Field mask path [${path}] can not be updated here.`);
  }
}

function deleteSecret(state: State, call: RestCall): object {
  const secret = existing(state, call);
  checkEtag(call.query.get("etag") ?? undefined, secret.etag);
  state.secrets.delete(secret.name);
  return {};
}

/** Adding a version leaves the secret's own etag as it is. */
function addVersion(state: State, call: RestCall): object {
  const secret = existing(state, call);
  const payload = fields(fields(call.body)["payload"]);
  const data = Buffer.from(typeof payload["data"] === "string" ? payload["data"] : "", "base64");
  if (data.length > PAYLOAD_MAX) throw new GoogleError("INVALID_ARGUMENT", "The payload exceeds 64 KiB.");
  const sent = payload["dataCrc32c"];
  if (sent !== undefined && Number(sent) !== crc32c(data)) {
    throw new GoogleError("INVALID_ARGUMENT", "The checksum of the payload does not match its data.");
  }
  const version: Version = {
    number: secret.versions.length + 1,
    createTime: now(state).toISOString(),
    state: "ENABLED",
    checksumSent: sent !== undefined,
    data,
    etag: nextEtag(state),
  };
  store(state, { ...secret, versions: [...secret.versions, version] });
  return renderVersion(secret, version);
}

function listVersions(state: State, call: RestCall): object {
  const secret = existing(state, call);
  const wanted = stateFilter(call.query.get("filter") ?? "");
  const found = secret.versions
    .filter((version) => wanted === undefined || version.state === wanted)
    .toSorted((a, b) => b.number - a.number);
  const { page, nextPageToken } = paginate(found, call);
  return {
    versions: page.map((version) => renderVersion(secret, version)),
    ...nextPageToken,
    totalSize: found.length,
  };
}

function stateFilter(filter: string): string | undefined {
  if (filter === "") return undefined;
  const wanted = /^state\s*[:=]\s*(?<state>ENABLED|DISABLED|DESTROYED)$/i.exec(filter)?.groups?.["state"];
  if (wanted !== undefined) return wanted.toUpperCase();
  throw new GoogleError("UNIMPLEMENTED", "the sandbox filters versions by state only: state:ENABLED");
}

function getVersion(state: State, call: RestCall): object {
  const secret = existing(state, call);
  return renderVersion(secret, findVersion(secret, part(call, "version")));
}

function accessVersion(state: State, call: RestCall): object {
  const secret = existing(state, call);
  const version = findVersion(secret, part(call, "version"));
  const name = versionName(secret, version);
  if (version.state !== "ENABLED") {
    throw new GoogleError("FAILED_PRECONDITION", `Secret Version [${name}] is in ${version.state} state.`);
  }
  const corrupt = state.options.faults.take("secretmanager", "corruptPayload") !== undefined;
  const data = corrupt ? version.data.map((byte, index) => (index === 0 ? byte ^ 1 : byte)) : version.data;
  return {
    name,
    payload: { data: Buffer.from(data).toString("base64"), dataCrc32c: String(crc32c(version.data)) },
  };
}

function setVersionState(target: Version["state"]): (state: State, call: RestCall) => object {
  return (state, call) => {
    const secret = existing(state, call);
    const version = findVersion(secret, part(call, "version"));
    checkEtag(fields(call.body)["etag"], version.etag);
    if (version.state === "DESTROYED") {
      throw new GoogleError(
        "FAILED_PRECONDITION",
        `Secret Version [${versionName(secret, version)}] is in DESTROYED state.`,
      );
    }
    const changed: Version = {
      ...version,
      state: target,
      etag: nextEtag(state),
      ...(target === "DESTROYED" ? { data: Buffer.alloc(0), destroyTime: now(state).toISOString() } : {}),
    };
    if (target === "DESTROYED") version.data.fill(0);
    const versions = secret.versions.map((other) => (other.number === changed.number ? changed : other));
    store(state, { ...secret, versions });
    return renderVersion(secret, changed);
  };
}

function existing(state: State, call: RestCall): Secret {
  const { number } = findProject(state.options.projects, part(call, "project"));
  const name = `projects/${number}/secrets/${part(call, "secret")}`;
  const secret = state.secrets.get(name);
  if (secret !== undefined) return secret;
  throw new GoogleError("NOT_FOUND", `Secret [${name}] not found or has no versions.`);
}

/** A number, an alias, or `latest`: the version that was added last, in any state. */
function findVersion(secret: Secret, wanted: string): Version {
  const number =
    wanted === "latest" ? secret.versions.length : (secret.aliases.get(wanted) ?? Number(wanted));
  const version = secret.versions.find((candidate) => candidate.number === number);
  if (version !== undefined) return version;
  throw new GoogleError("NOT_FOUND", `Secret Version [${secret.name}/versions/${wanted}] not found.`);
}

/**
 * https://cloud.google.com/secret-manager/docs/etags: a mismatch is FAILED_PRECONDITION with HTTP 400, not
 * ABORTED.
 */
function checkEtag(sent: unknown, current: string): void {
  if (sent === undefined || sent === "" || sent === current) return;
  throw new GoogleError(
    "FAILED_PRECONDITION",
    `The etag provided does not match the current etag [${current}].`,
  );
}

function store(state: State, secret: Secret): object {
  state.secrets.set(secret.name, secret);
  return renderSecret(secret);
}

function renderSecret(secret: Secret): object {
  return {
    name: secret.name,
    createTime: secret.createTime,
    replication: secret.replication,
    etag: secret.etag,
    ...(Object.keys(secret.labels).length === 0 ? {} : { labels: secret.labels }),
    ...(Object.keys(secret.annotations).length === 0 ? {} : { annotations: secret.annotations }),
    ...(secret.aliases.size === 0
      ? {}
      : {
          versionAliases: Object.fromEntries(
            [...secret.aliases].map(([alias, number]) => [alias, String(number)]),
          ),
        }),
  };
}

function renderVersion(secret: Secret, version: Version): object {
  return {
    name: versionName(secret, version),
    createTime: version.createTime,
    state: version.state,
    replicationStatus: { automatic: {} },
    etag: version.etag,
    ...(version.checksumSent ? { clientSpecifiedPayloadChecksum: true } : {}),
    ...(version.destroyTime === undefined ? {} : { destroyTime: version.destroyTime }),
  };
}

function versionName(secret: Secret, version: Version): string {
  return `${secret.name}/versions/${version.number}`;
}

function paginate<T>(items: readonly T[], call: RestCall): { page: readonly T[]; nextPageToken: object } {
  const start = Number(call.query.get("pageToken") ?? 0);
  const size = Number(call.query.get("pageSize") ?? 0) || 25_000;
  const end = start + size;
  return {
    page: items.slice(start, end),
    nextPageToken: end < items.length ? { nextPageToken: String(end) } : {},
  };
}

function nextEtag(state: State): string {
  state.changes += 1;
  return `"${(0x16_0000_0000_0000 + state.changes).toString(16)}"`;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function part(call: RestCall, name: string): string {
  return call.path[name] ?? "";
}

function now(state: State): Date {
  return state.options.now?.() ?? new Date();
}
