import { type MeshjoinError, RootError } from "../errors.ts";
import type { RootStore } from "../ports/root-store.ts";
import { crc32c } from "./crc32c.ts";
import { callOptions, GRPC, grpcCode, reasonOf, withoutRequest } from "./google-client.ts";
import {
  type RootSecret,
  type RootSecretOptions,
  readEnabled,
  readState,
  rootSecret,
  rootSecretError,
} from "./root-secret.ts";

/**
 * The root secret in Secret Manager over REST. Nothing is loaded or opened before the first call. The caller
 * can wipe the buffer of `payload`; the HTTP client's own copy is left to the garbage collector.
 */
export function secretManagerRoots(options: RootSecretOptions): RootStore {
  const secret = rootSecret(options);
  return {
    state: (signal) => readState(secret, signal),
    isEnabled: (version, signal) => readEnabled(secret, version, signal),
    async payload(version, signal) {
      const name = `${secret.name}/versions/${version}`;
      const answer = await accessVersion(secret, name, signal).catch((error: unknown) => {
        throw payloadError(error, secret, version);
      });
      return checkedPayload(answer, secret, version);
    },
  };
}

interface Payload {
  readonly data?: Uint8Array | string | null;
  readonly dataCrc32c?: unknown;
}

async function accessVersion(
  { client }: RootSecret,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Payload> {
  const [{ payload }] = await (await client()).accessSecretVersion({ name }, callOptions(signal));
  return payload ?? {};
}

/** Secret Manager always sends the checksum, so a payload without one is damaged, too. */
function checkedPayload({ data, dataCrc32c }: Payload, { id }: RootSecret, version: number): Buffer {
  const payload = toBuffer(data ?? "");
  if (dataCrc32c !== null && dataCrc32c !== undefined && Number(dataCrc32c) === crc32c(payload))
    return payload;
  payload.fill(0);
  throw new RootError(
    `version ${version} of secret ${id} did not arrive as it is stored, its CRC32C differs`,
    {
      code: "RootChecksumMismatch",
      cure: "run again, and look for a proxy that rewrites answers",
      fields: { secret: id, version },
    },
  );
}

/** The same memory, not a copy, so that wiping it helps. */
function toBuffer(data: Uint8Array | string): Buffer {
  return typeof data === "string"
    ? Buffer.from(data, "base64")
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function payloadError(error: unknown, secret: RootSecret, version: number): MeshjoinError {
  const { id, project } = secret;
  const options = { cause: withoutRequest(error), fields: { secret: id, project, version } };
  const status = grpcCode(error);
  const root = `version ${version} of secret ${id}`;
  if (status === GRPC.notFound) {
    return new RootError(`${root} does not exist`, {
      ...options,
      code: "RootVersionMissing",
      cure: "give the alias to a version that does",
    });
  }
  if (status === GRPC.failedPrecondition && /DISABLED|DESTROYED/.test(reasonOf(error))) {
    return new RootError(`${root} is disabled or destroyed`, {
      ...options,
      code: "RootVersionDisabled",
      cure: `run "gcloud secrets versions enable ${version} --secret ${id} --project ${project}", or give the alias to another version`,
    });
  }
  return rootSecretError(error, secret, { attempt: "read", permission: "secretmanager.versions.access" });
}
