// Not the package's entry, for the reason in cluster-directory.ts.
import { SecretManagerServiceClient } from "@google-cloud/secret-manager/build/src/v1/index.js";
import { lazily } from "../async/lazily.ts";
import { rootSecretName } from "../core/names.ts";
import { ROOT_ROLES, type RootState } from "../core/roots/state.ts";
import { type MeshjoinError, RootError } from "../errors.ts";
import {
  callOptions,
  clientOptions,
  describeRefusal,
  fromGoogleError,
  GRPC,
  grpcCode,
  isApiDisabled,
  withoutRequest,
} from "./google-client.ts";

export interface RootSecretOptions {
  readonly project: string;
  readonly meshId: string;
  /** Instead of `https://secretmanager.googleapis.com`. */
  readonly endpoint?: URL | string;
}

/** The root secret of one mesh and its client; nothing is loaded or opened before the first call. */
export interface RootSecret {
  readonly project: string;
  readonly id: string;
  readonly name: string;
  readonly client: () => Promise<SecretManagerServiceClient>;
}

export function rootSecret(options: RootSecretOptions): RootSecret {
  const { project, meshId } = options;
  const id = rootSecretName(meshId);
  return { project, id, name: `projects/${project}/secrets/${id}`, client: lazily(() => connect(options)) };
}

async function connect({ endpoint }: RootSecretOptions): Promise<SecretManagerServiceClient> {
  const client = new SecretManagerServiceClient(clientOptions(endpoint));
  // Else the first call initializes it, and missing credentials become an unhandled rejection.
  await client.initialize();
  return client;
}

/** Reads names and aliases; no payload. */
export async function readState(secret: RootSecret, signal: AbortSignal | undefined): Promise<RootState> {
  try {
    const client = await secret.client();
    const [answer] = await client.getSecret({ name: secret.name }, callOptions(signal));
    return toState(answer);
  } catch (error) {
    throw secretError(error, secret, { attempt: "read", permission: "secretmanager.secrets.get" });
  }
}

/** Whether a version is enabled; an absent one is not. Reads no payload. */
export async function readEnabled(
  secret: RootSecret,
  version: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = `${secret.name}/versions/${version}`;
  try {
    const [answer] = await (await secret.client()).getSecretVersion({ name }, callOptions(signal));
    return isEnabledVersion(answer);
  } catch (error) {
    if (grpcCode(error) === GRPC.notFound) return false;
    throw rootSecretError(error, secret, {
      attempt: `read the state of version ${version} of`,
      permission: "secretmanager.versions.get",
    });
  }
}

/** The state arrives by name or by number; `SecretVersion.State` of the API. */
export function isEnabledVersion({ state }: { readonly state?: unknown }): boolean {
  return state === "ENABLED" || state === 1;
}

interface SecretAnswer {
  readonly etag?: string | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly versionAliases?: Readonly<Record<string, unknown>> | null;
}

/** 64-bit numbers arrive as text. */
function toState({ etag, annotations, versionAliases }: SecretAnswer): RootState {
  const aliases = Object.entries(versionAliases ?? {}).map(
    ([alias, version]) => [alias, Number(version)] as const,
  );
  const isRole = (alias: string) => ROOT_ROLES.some((role) => role === alias);
  return {
    versions: Object.fromEntries(aliases.filter(([alias, version]) => isRole(alias) && version > 0)),
    otherAliases: Object.fromEntries(aliases.filter(([alias]) => !isRole(alias))),
    etag: etag ?? "",
    annotations: { ...annotations },
  };
}

interface Attempt {
  /** In words for a message: "read", "change". */
  readonly attempt: string;
  readonly permission: string;
}

/** The error of a call about the secret itself. */
export function secretError(error: unknown, secret: RootSecret, call: Attempt): MeshjoinError {
  const { project, id } = secret;
  const options = { cause: withoutRequest(error), fields: { secret: id, project } };
  const status = grpcCode(error);
  if (status === GRPC.notFound) {
    return new RootError(`secret ${id} does not exist in project ${project}`, {
      ...options,
      code: "RootSecretMissing",
      cure: `create it with "meshjoin root init", or with "gcloud secrets create ${id} --project ${project}" and a root CA as its version`,
    });
  }
  return rootSecretError(error, secret, call);
}

/** The error of any call that has no reason of its own. */
export function rootSecretError(
  error: unknown,
  { id, project }: RootSecret,
  { attempt, permission }: Attempt,
): MeshjoinError {
  const fields = { secret: id, project };
  const resource = `secret ${id} in project ${project}`;
  if (grpcCode(error) !== GRPC.permissionDenied || isApiDisabled(error)) {
    return fromGoogleError(error, { attempt: `${attempt} ${resource}`, permission, resource, fields });
  }
  const { why, cure } = describeRefusal(error, { permission, resource });
  return new RootError(`could not ${attempt} ${resource}: ${why}`, {
    code: "RootAccessDenied",
    cure,
    cause: withoutRequest(error),
    fields,
  });
}
