import { rotationLead } from "../core/member/intermediate-life.ts";
import type { RootOrigin } from "../core/roots/notes.ts";
import type { MeshSpec } from "../core/spec.ts";
import { makeRoot } from "../pki/make-root.ts";
import { assertIssuing, readSigningRoot } from "../pki/root.ts";
import type { Clock } from "../ports/clock.ts";
import type { RootKeys } from "../ports/root-keys.ts";

/** A root on its way into the secret: its certificate and its key. `claimRoot` wipes the payload. */
export interface NextRoot {
  readonly payload: Buffer;
  readonly origin: RootOrigin;
}

interface ImportedRoot extends NextRoot {
  /** SHA-256 of its certificate, lower-case hex. */
  readonly fingerprint: string;
}

export const ROOT_ALGORITHMS = ["ec-p384", "rsa-4096"] as const;
export type RootAlgorithm = (typeof ROOT_ALGORITHMS)[number];

/** A new root, valid for ten years. */
export async function generatedRoot(
  { meshId }: MeshSpec,
  now: Date,
  algorithm: RootAlgorithm = "ec-p384",
): Promise<NextRoot> {
  const { certificate, privateKey } = await makeRoot({ organization: meshId, now, algorithm });
  return { payload: Buffer.from(certificate + privateKey), origin: "generated" };
}

interface Judging {
  readonly ports: { readonly clock: Clock; readonly keys: RootKeys };
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

/**
 * A root that a person brings, if it fits the mesh and lives so long that it need not be rotated at once.
 * Fails with RootError as `readSigningRoot` and `assertIssuing` do. `name` is for messages.
 */
export async function importedRoot(
  payload: Buffer,
  name: string,
  { ports, spec, signal }: Judging,
): Promise<ImportedRoot> {
  const { certificate } = await readSigningRoot(payload, name, ports.keys, signal);
  assertIssuing(certificate, name, ports.clock.now(), rotationLead(spec));
  return { payload, origin: "imported", fingerprint: certificate.fingerprint };
}
