import { ISTIO_NAMESPACE, READER_SERVICE_ACCOUNT } from "../../../../shared/core/names.ts";
import { RefusedError } from "../../../../shared/errors.ts";
import type { Clock } from "../../../../shared/ports/clock.ts";
import type { ObjectRef, TokenGrant } from "../../../../shared/ports/member-api.ts";
import { conflict, notFound, readerAccountMissing } from "./errors.ts";
import type { ObjectStore } from "./object-store.ts";

/** The token authority of one API server. */
export interface TokenAuthority {
  grant(boundTo: { readonly name: string; readonly uid: string }, ttlSeconds: number): TokenGrant;
  accepts(token: string): boolean;
  /** `--service-account-max-token-expiration`, in seconds. */
  maxTtl: number;
}

/** Kubernetes refuses to grant less; `pkg/apis/authentication/validation`. */
const MIN_TTL = 600;
const ACCOUNT = ref("ServiceAccount", READER_SERVICE_ACCOUNT);

interface Granted {
  readonly boundTo: { readonly name: string; readonly uid: string };
  readonly accountUid: string | undefined;
  readonly expiresAt: Date;
}

export function tokenAuthority(issuer: string, store: ObjectStore, clock: Clock): TokenAuthority {
  const granted = new Map<string, Granted>();
  return {
    maxTtl: Number.POSITIVE_INFINITY,
    grant(boundTo, ttlSeconds) {
      const what = `request a token of ${READER_SERVICE_ACCOUNT}`;
      const account = store.get(ACCOUNT);
      if (account === undefined) throw readerAccountMissing(what);
      if (ttlSeconds < MIN_TTL) {
        throw new RefusedError(`${what}: ask for at least ${MIN_TTL} s`, {
          code: "Rejected",
          fields: { reason: "Invalid" },
        });
      }
      const secret = store.get(ref("Secret", boundTo.name));
      if (secret === undefined) throw notFound(`${what}: Secret ${boundTo.name}`);
      if (secret.metadata.uid !== boundTo.uid) throw conflict(what);
      const expiresAt = new Date(clock.now().getTime() + Math.min(ttlSeconds, this.maxTtl) * 1000);
      const token = `fake-token.${issuer}.${granted.size + 1}`;
      granted.set(token, { boundTo, accountUid: account.metadata.uid, expiresAt });
      return { token, expiresAt };
    },
    accepts(token) {
      const found = granted.get(token);
      return (
        found !== undefined &&
        found.expiresAt > clock.now() &&
        store.get(ACCOUNT)?.metadata.uid === found.accountUid &&
        store.get(ref("Secret", found.boundTo.name))?.metadata.uid === found.boundTo.uid
      );
    },
  };
}

function ref(kind: string, name: string): ObjectRef {
  return { apiVersion: "v1", kind, namespace: ISTIO_NAMESPACE, name };
}
