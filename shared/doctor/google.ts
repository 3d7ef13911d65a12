import { type Check, fault, fine, type Subject, unknown } from "../core/check.ts";
import { rootSecretName } from "../core/names.ts";
import { noSigningRoot } from "../core/roots/signing.ts";
import { bundleVersions, formatRootVersions } from "../core/roots/state.ts";
import type { MeshSpec } from "../core/spec.ts";
import { MeshjoinError } from "../errors.ts";
import type { Ports, RootKeeper } from "../ports.ts";
import { enableApi, type Grants, grantSecretToSigner } from "./grants.ts";

export interface RootQuestion {
  readonly spec: MeshSpec;
  /** Of the function that reads payloads in this process's place, if there is one. */
  readonly signerUrl: string | undefined;
  readonly grants: Grants;
  readonly signal?: AbortSignal;
}

/**
 * Its names, as this process reads them, and whether the authority can sign with it. Nothing of a payload but its certificate's end
 * is told.
 */
export async function checkRoot(
  ports: Pick<Ports, "authority" | "roots">,
  { spec, signerUrl, grants, signal }: RootQuestion,
): Promise<Check> {
  const { meshId, rootProject: project } = spec;
  const secret = { id: rootSecretName(meshId), project };
  const subject = { name: "root", account: grants.account } as const;
  const about = (message: string) => `${secret.id}: ${message}`;
  let grant = grants.secretView(secret);
  try {
    const { versions } = await ports.roots.state(signal);
    const unsigned = noSigningRoot(spec, versions);
    if (unsigned !== undefined) return fault(subject, unsigned.message, unsigned.cure);
    grant = signerUrl === undefined ? grants.secretAccess(secret) : grantSecretToSigner(secret);
    const { rootVersions, signsUntil } = await ports.authority.check(signal);
    if (formatRootVersions(rootVersions) !== formatRootVersions(versions)) {
      const message = `the names of versions are ${formatRootVersions(versions)}, and the authority goes by ${formatRootVersions(rootVersions)}`;
      return unknown(subject, about(message), ANOTHER_SECRET);
    }
    const trusted = bundleVersions(rootVersions).join(", ");
    return fine(
      subject,
      about(
        `version ${rootVersions.signing} signs, valid until ${signsUntil.toISOString()}; trusted: ${trusted}`,
      ),
    );
  } catch (error) {
    const cures: Readonly<Record<string, string>> = {
      RootAccessDenied: grant,
      ServiceDisabled: enableApi("secretmanager.googleapis.com", project),
    };
    return notRead(subject, error, about, cures);
  }
}

/** Between the two answers a rotation may have moved on. */
const ANOTHER_SECRET =
  "ask again; if they still differ, give the function sign-intermediate the MESHJOIN_MESH_ID and MESHJOIN_ROOT_PROJECT of the others";

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
