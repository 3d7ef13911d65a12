import type { RootState, RootVersions } from "../core/roots/state.ts";

/** The versions and annotations of the root secret after a change. */
export interface RootChange {
  readonly versions: RootVersions;
  /** The complete map. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RootVersionInfo {
  readonly version: number;
  readonly enabled: boolean;
}

/** Changes to the root secret by the rotator or a person: payloads go in, and none comes out. */
export interface RootKeeper {
  /** Answers whether it created the secret; false if it existed. */
  create(signal?: AbortSignal): Promise<boolean>;
  /** Changes aliases and annotations at once; ConflictError `Stale` if the secret is not in this state. */
  update(state: RootState, change: RootChange, signal?: AbortSignal): Promise<void>;
  /** PEM certificate and key; answers the new version, which has no alias. The caller wipes the payload. */
  add(payload: Buffer, signal?: AbortSignal): Promise<number>;
  /** Leaves a version alone that is disabled or destroyed already. */
  disable(version: number, signal?: AbortSignal): Promise<void>;
  /** By number. */
  list(signal?: AbortSignal): Promise<readonly RootVersionInfo[]>;
  /** The ones of these IAM permissions that this account has on the secret; none if there is no secret. */
  granted(permissions: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
}
