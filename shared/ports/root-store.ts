import type { RootState } from "../core/roots/state.ts";

/** The root secret's names and aliases; never a payload. */
export interface RootRegistry {
  /** Fails with RootError `RootSecretMissing` or `RootAccessDenied`. */
  state(signal?: AbortSignal): Promise<RootState>;
  /**
   * Whether the version can be read: false for a disabled, a destroyed and an absent one. Reads no payload.
   * Fails with RootError `RootAccessDenied`.
   */
  isEnabled(version: number, signal?: AbortSignal): Promise<boolean>;
}

/** The root secret's payloads. Only a `RootAuthority` may hold this port. */
export interface RootStore extends RootRegistry {
  /**
   * PEM certificate and PEM key as one buffer, its CRC32C checked; the caller wipes it. Fails with RootError
   * `RootVersionMissing`, `RootVersionDisabled`, `RootAccessDenied`, `RootChecksumMismatch`.
   */
  payload(version: number, signal?: AbortSignal): Promise<Buffer>;
}
