// Not the package's entry, as in gke.ts.
import { SecretManagerServiceClient } from "@google-cloud/secret-manager/build/src/v1/index.js";
import { lazily } from "../async/lazily.ts";
import { rootSecretName } from "../core/names.ts";
import { ROOT_ROLES, type RootState, type RootVersions } from "../core/root-state.ts";
import { type MeshjoinError, RootError } from "../errors.ts";
import type { RootStore } from "../ports.ts";
import { crc32c } from "./crc32c.ts";
import {
  callOptions,
  clientOptions,
  describeRefusal,
  fromGoogleError,
  GRPC,
  grpcCode,
  isApiDisabled,
  reasonOf,
  withoutRequest,
} from "./google-client.ts";

export interface RootSecretOptions {
  readonly project: string;
  readonly meshId: string;
  /** Instead of `https://secretmanager.googleapis.com`. */
  readonly endpoint?: URL | string;
}

/**
 * The root secret in Secret Manager over REST. Nothing is loaded or opened before the first call. The buffer that
 * `payload` answers can be wiped; what the HTTP client read it from is left to the garbage collector.
 */
export function secretManagerRoots(options: RootSecretOptions): RootStore {
  const { project, meshId } = options;
  const client = lazily(() => connect(options));
  const id = rootSecretName(meshId);
  const secret: Secret = { project, id, name: `projects/${project}/secrets/${id}` };
  return {
    async state(signal) {
      try {
        const [answer] = await (await client()).getSecret({ name: secret.name }, callOptions(signal));
        return toState(answer);
      } catch (error) {
        throw stateError(error, secret);
      }
    },
    async payload(version, signal) {
      const name = `${secret.name}/versions/${version}`;
      const answer = await accessVersion(client, name, signal).catch((error: unknown) => {
        throw payloadError(error, secret, version);
      });
      return checkedPayload(answer, secret, version);
    },
  };
}

interface Secret {
  readonly project: string;
  readonly id: string;
  readonly name: string;
}

interface Payload {
  readonly data?: Uint8Array | string | null;
  readonly dataCrc32c?: unknown;
}

async function connect({ endpoint }: RootSecretOptions): Promise<SecretManagerServiceClient> {
  const client = new SecretManagerServiceClient(clientOptions(endpoint));
  // Otherwise the first call does it, and turns missing credentials into an unhandled rejection.
  await client.initialize();
  return client;
}

async function accessVersion(
  client: () => Promise<SecretManagerServiceClient>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Payload> {
  const [{ payload }] = await (await client()).accessSecretVersion({ name }, callOptions(signal));
  return payload ?? {};
}

interface SecretAnswer {
  readonly etag?: string | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly versionAliases?: Readonly<Record<string, unknown>> | null;
}

/** Numbers of 64 bits arrive as text. */
function toState({ etag, annotations, versionAliases }: SecretAnswer): RootState {
  const versions: RootVersions = Object.fromEntries(
    ROOT_ROLES.flatMap((role) => {
      const version = Number(versionAliases?.[role] ?? 0);
      return version > 0 ? [[role, version]] : [];
    }),
  );
  return { versions, etag: etag ?? "", annotations: { ...annotations } };
}

/** Secret Manager always sends the checksum, so a payload without one did not arrive as it was sent either. */
function checkedPayload({ data, dataCrc32c }: Payload, { id }: Secret, version: number): Buffer {
  const payload = toBuffer(data ?? "");
  if (dataCrc32c !== null && dataCrc32c !== undefined && Number(dataCrc32c) === crc32c(payload))
    return payload;
  payload.fill(0);
  throw new RootError(
    `version ${version} of secret ${id} did not arrive as it is stored, its CRC32C differs; run again, and look for a proxy that rewrites answers`,
    { code: "RootChecksumMismatch", fields: { secret: id, version } },
  );
}

/** The same memory, not a copy, so that wiping it is worth something. */
function toBuffer(data: Uint8Array | string): Buffer {
  return typeof data === "string"
    ? Buffer.from(data, "base64")
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function stateError(error: unknown, secret: Secret): MeshjoinError {
  const { project, id } = secret;
  const options = { cause: withoutRequest(error), fields: { secret: id, project } };
  const status = grpcCode(error);
  if (status === GRPC.notFound) {
    return new RootError(
      `secret ${id} does not exist in project ${project}; create it with "meshjoin root init" or with ` +
        `"gcloud secrets create ${id} --project ${project}" and add a root CA as its version`,
      { ...options, code: "RootSecretMissing" },
    );
  }
  return common(error, secret, "secretmanager.secrets.get");
}

function payloadError(error: unknown, secret: Secret, version: number): MeshjoinError {
  const { id, project } = secret;
  const options = { cause: withoutRequest(error), fields: { secret: id, project, version } };
  const status = grpcCode(error);
  const root = `version ${version} of secret ${id}`;
  if (status === GRPC.notFound) {
    return new RootError(`${root} does not exist; give the alias to a version that does`, {
      ...options,
      code: "RootVersionMissing",
    });
  }
  if (status === GRPC.failedPrecondition && /DISABLED|DESTROYED/.test(reasonOf(error))) {
    return new RootError(
      `${root} is disabled or destroyed; run "gcloud secrets versions enable ${version} --secret ${id} ` +
        `--project ${project}", or give the alias to another version`,
      { ...options, code: "RootVersionDisabled" },
    );
  }
  return common(error, secret, "secretmanager.versions.access");
}

function common(error: unknown, { id, project }: Secret, permission: string): MeshjoinError {
  const fields = { secret: id, project };
  const resource = `secret ${id} in project ${project}`;
  if (grpcCode(error) !== GRPC.permissionDenied || isApiDisabled(error)) {
    return fromGoogleError(error, { attempt: `read ${resource}`, permission, resource, fields });
  }
  return new RootError(`could not read ${resource}: ${describeRefusal(error, { permission, resource })}`, {
    code: "RootAccessDenied",
    cause: withoutRequest(error),
    fields,
  });
}
