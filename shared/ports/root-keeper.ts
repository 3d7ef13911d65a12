import type { RootState, RootVersions } from "../core/roots/state.ts";

/** What a change makes of the root secret. */
export interface RootChange {
  readonly versions: RootVersions;
  /** All of them. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RootVersionInfo {
  readonly version: number;
  readonly enabled: boolean;
}

/** What the rotator, and a person, may do to the root secret: payloads go in, and none comes out. */
export interface RootKeeper {
  /** Answers whether it was not there. */
  create(signal?: AbortSignal): Promise<boolean>;
  /** Aliases and annotations in one change of the very state that was seen; ConflictError `Stale` if it is another by now. */
  update(seen: RootState, change: RootChange, signal?: AbortSignal): Promise<void>;
  /** PEM certificate and PEM key; answers the number of the new version, which has no alias. The caller wipes the payload. */
  add(payload: Buffer, signal?: AbortSignal): Promise<number>;
  /** One that is disabled or destroyed already stays as it is. */
  disable(version: number, signal?: AbortSignal): Promise<void>;
  /** By number. */
  list(signal?: AbortSignal): Promise<readonly RootVersionInfo[]>;
  /** Those of the IAM permissions that this account has on the secret; none where there is no secret. */
  granted(permissions: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
}
