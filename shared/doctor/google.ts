import { type Check, fault, fine, type Subject, unknown } from "../core/check.ts";
import { rootSecretName } from "../core/names.ts";
import { noSigningRoot } from "../core/roots/signing.ts";
import { bundleVersions, type RootState } from "../core/roots/state.ts";
import { INTERMEDIATE_TO_WORKLOAD, type MeshSpec } from "../core/spec.ts";
import { MeshjoinError, RootError } from "../errors.ts";
import { splitBundle } from "../pki/bundle.ts";
import { parseCertificate } from "../pki/certificate.ts";
import { assertIssuing } from "../pki/root.ts";
import type { Ports, RootKeeper, TrustBundle } from "../ports.ts";
import { enableApi, type Grants, grantSecretToSigner } from "./grants.ts";

export interface RootQuestion {
  readonly spec: MeshSpec;
  /** Of the function that reads payloads in this process's place, if there is one. */
  readonly signerUrl: string | undefined;
  readonly grants: Grants;
  readonly signal?: AbortSignal;
}

/**
 * Its names, its payloads, and how long what signs is valid. Nothing of a payload but its certificate's dates is told. The names
 * are read by this process, the payloads by whoever signs.
 */
export async function checkRoot(
  ports: Pick<Ports, "authority" | "clock" | "roots">,
  { spec, signerUrl, grants, signal }: RootQuestion,
): Promise<Check> {
  const { meshId, rootProject: project } = spec;
  const secret = { id: rootSecretName(meshId), project };
  const subject = { name: "root", account: grants.account } as const;
  const about = (message: string) => `${secret.id}: ${message}`;
  let grant = grants.secretView(secret);
  try {
    const state = await ports.roots.state(signal);
    const unsigned = noSigningRoot(spec, state.versions);
    if (unsigned !== undefined) return fault(subject, about(unsigned.message), unsigned.cure);
    grant = signerUrl === undefined ? grants.secretAccess(secret) : grantSecretToSigner(secret);
    const until = signingUntil(await ports.authority.trustBundle(signal), state, spec, ports.clock.now());
    const trusted = bundleVersions(state.versions).join(", ");
    return fine(
      subject,
      about(`version ${state.versions.signing} signs, valid until ${until}; trusted: ${trusted}`),
    );
  } catch (error) {
    const cures: Readonly<Record<string, string>> = {
      RootAccessDenied: grant,
      ServiceDisabled: enableApi("secretmanager.googleapis.com", project),
    };
    return notRead(subject, error, about, cures);
  }
}

/** What a rotation asks of Secret Manager; permissions.tf grants it to the rotator. */
export const ROOT_CHANGES = [
  "secretmanager.secrets.get",
  "secretmanager.secrets.update",
  "secretmanager.versions.add",
  "secretmanager.versions.disable",
  "secretmanager.versions.list",
] as const;

/** Whether the account may change the root secret as a rotation does. Nothing is changed. */
export async function checkRootChanges(
  keeper: Pick<RootKeeper, "granted">,
  { meshId, rootProject: project }: MeshSpec,
  grants: Grants,
  signal: AbortSignal,
): Promise<Check> {
  const secret = { id: rootSecretName(meshId), project };
  const subject = { name: "rotation", account: grants.account } as const;
  const about = (message: string) => `${secret.id}: ${message}`;
  try {
    const granted = await keeper.granted(ROOT_CHANGES, signal);
    const missing = ROOT_CHANGES.filter((permission) => !granted.has(permission));
    return missing.length === 0
      ? fine(subject, about("all that a rotation does to it is allowed"))
      : fault(subject, about(`not allowed: ${missing.join(", ")}`), grants.secretAccess(secret));
  } catch (error) {
    return notRead(subject, error, about, {
      ServiceDisabled: enableApi("secretmanager.googleapis.com", project),
    });
  }
}

/** Fails with RootError if the root that signs is about to end, or has. */
function signingUntil(
  { trustBundle, rootVersions }: TrustBundle,
  { versions }: RootState,
  { workloadTtl }: MeshSpec,
  now: Date,
): string {
  const certificates = splitBundle(trustBundle).map((der) => parseCertificate(der));
  const numbers = bundleVersions(rootVersions);
  const signing = certificates[numbers.indexOf(versions.signing ?? 0)];
  if (signing === undefined || certificates.length !== numbers.length) {
    throw new RootError("two versions hold the same certificate", {
      code: "RootTwice",
      cure: "give the aliases to different roots",
    });
  }
  assertIssuing(signing, `version ${versions.signing}`, now, INTERMEDIATE_TO_WORKLOAD * workloadTtl);
  return signing.notAfter.toISOString();
}

/** A refusal is a fault that somebody mends; that the other side is out, or slow, leaves it unknown. */
export function notRead(
  subject: Subject,
  error: unknown,
  about: (message: string) => string,
  cures: Readonly<Record<string, string>>,
): Check {
  const { code, message, cure, retryable } = ours(error);
  const state = retryable ? unknown : fault;
  return state(subject, about(message), cures[code] ?? cure);
}

/** What is not an error of ours is none of the doctor's. */
export function ours(error: unknown): MeshjoinError {
  if (error instanceof MeshjoinError) return error;
  throw error;
}
