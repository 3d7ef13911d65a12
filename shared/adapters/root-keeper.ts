import { ConflictError, type MeshjoinError } from "../errors.ts";
import type { RootKeeper, RootVersionInfo } from "../ports/root-keeper.ts";
import { crc32c } from "./crc32c.ts";
import { callOptions, GRPC, grpcCode, onceOptions, withoutRequest } from "./google-client.ts";
import {
  isEnabledVersion,
  type RootSecret,
  type RootSecretOptions,
  rootSecret,
  rootSecretError,
  secretError,
} from "./root-secret.ts";

/** Changes to the root secret in Secret Manager over REST. */
export function secretManagerKeeper(options: RootSecretOptions): RootKeeper {
  const secret = rootSecret(options);
  return {
    async create(signal) {
      const { project, id, client } = secret;
      const request = {
        parent: `projects/${project}`,
        secretId: id,
        secret: { replication: { automatic: {} } },
      };
      try {
        await (await client()).createSecret(request, onceOptions(signal));
        return true;
      } catch (error) {
        if (grpcCode(error) === GRPC.alreadyExists) return false;
        throw rootSecretError(error, secret, {
          attempt: "create",
          permission: "secretmanager.secrets.create",
        });
      }
    },
    async update({ etag, otherAliases }, { versions, annotations }, signal) {
      const aliases = { ...otherAliases, ...versions };
      const versionAliases = Object.fromEntries(
        Object.entries(aliases).map(([alias, version]) => [alias, String(version)]),
      );
      const request = {
        secret: { name: secret.name, etag, versionAliases, annotations: { ...annotations } },
        updateMask: { paths: ["version_aliases", "annotations"] },
      };
      await secret
        .client()
        .then((client) => client.updateSecret(request, onceOptions(signal)))
        .catch((error: unknown) => {
          throw changeError(error, secret);
        });
    },
    async add(payload, signal) {
      const request = {
        parent: secret.name,
        payload: { data: payload, dataCrc32c: String(crc32c(payload)) },
      };
      try {
        const [{ name }] = await (await secret.client()).addSecretVersion(request, onceOptions(signal));
        return Number(name?.split("/").at(-1));
      } catch (error) {
        throw secretError(error, secret, {
          attempt: "add a version to",
          permission: "secretmanager.versions.add",
        });
      }
    },
    async disable(version, signal) {
      const name = `${secret.name}/versions/${version}`;
      try {
        await (await secret.client()).disableSecretVersion({ name }, callOptions(signal));
      } catch (error) {
        if (isGone(error)) return;
        throw rootSecretError(error, secret, {
          attempt: `disable version ${version} of`,
          permission: "secretmanager.versions.disable",
        });
      }
    },
    async granted(permissions, signal) {
      try {
        const [answer] = await (await secret.client()).testIamPermissions(
          { resource: secret.name, permissions: [...permissions] },
          callOptions(signal),
        );
        return new Set(answer.permissions ?? []);
      } catch (error) {
        throw secretError(error, secret, {
          attempt: "ask for its own permissions on",
          permission: "secretmanager.secrets.get",
        });
      }
    },
    async list(signal) {
      try {
        const [versions] = await (await secret.client()).listSecretVersions(
          { parent: secret.name },
          callOptions(signal),
        );
        return versions.map(toInfo).toSorted((a, b) => a.version - b.version);
      } catch (error) {
        throw secretError(error, secret, {
          attempt: "list the versions of",
          permission: "secretmanager.versions.list",
        });
      }
    },
  };
}

interface VersionAnswer {
  readonly name?: string | null;
  readonly state?: unknown;
}

function toInfo({ name, state }: VersionAnswer): RootVersionInfo {
  return { version: Number(name?.split("/").at(-1)), enabled: isEnabledVersion({ state }) };
}

/** A version that is destroyed, or never existed, need not be disabled. */
function isGone(error: unknown): boolean {
  const code = grpcCode(error);
  return code === GRPC.failedPrecondition || code === GRPC.notFound;
}

/**
 * Another client changed the secret, so the etag does not match;
 * https://cloud.google.com/secret-manager/docs/etags
 */
function changeError(error: unknown, secret: RootSecret): MeshjoinError {
  const status = grpcCode(error);
  if (status === GRPC.failedPrecondition || status === GRPC.aborted) {
    return new ConflictError(`secret ${secret.id} was changed by another client meanwhile`, {
      code: "Stale",
      cure: "run meshjoin root status, then try again",
      cause: withoutRequest(error),
      fields: { secret: secret.id },
    });
  }
  return secretError(error, secret, {
    attempt: "change",
    permission: "secretmanager.secrets.update",
  });
}
