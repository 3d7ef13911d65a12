import { type Check, fault, fine, type Subject, unknown } from "../core/answers/check.ts";
import { rootSecretName } from "../core/names.ts";
import { noSigningRoot } from "../core/roots/no-signing-root.ts";
import { bundleVersions, formatRootVersions } from "../core/roots/state.ts";
import type { MeshSpec } from "../core/spec.ts";
import { sentenceTime } from "../core/time.ts";
import { MeshjoinError } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";
import type { RootKeeper } from "../ports/root-keeper.ts";
import { enableApi, type Grants, grantSecretToSigner } from "./grants.ts";

export interface RootQuestion {
  readonly spec: MeshSpec;
  /** Of the function that reads payloads for this process, if there is one. */
  readonly signerUrl: string | undefined;
  readonly grants: Grants;
  readonly signal?: AbortSignal;
}

/**
 * Whether this process can read the root secret's names, and the authority can sign with the root. Of a
 * payload it reports only the end of its certificate.
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
        `version ${rootVersions.signing} signs, valid until ${sentenceTime(signsUntil)}; trusted: ${trusted}`,
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

/** A rotation may move on between the two answers. */
const ANOTHER_SECRET =
  "ask again; if they still differ, give the function sign-intermediate the MESHJOIN_MESH_ID and MESHJOIN_ROOT_PROJECT of the others";

/** The permissions that a rotation needs; permissions.tf grants them to the rotator. */
export const ROOT_CHANGES = [
  "secretmanager.secrets.get",
  "secretmanager.secrets.update",
  "secretmanager.versions.add",
  "secretmanager.versions.disable",
  "secretmanager.versions.get",
  "secretmanager.versions.list",
] as const;

/** Whether the account may change the root secret as a rotation does. It changes nothing. */
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
      ? fine(subject, about("every change of a rotation is allowed"))
      : fault(subject, about(`not allowed: ${missing.join(", ")}`), grants.secretAccess(secret));
  } catch (error) {
    return notRead(subject, error, about, {
      ServiceDisabled: enableApi("secretmanager.googleapis.com", project),
    });
  }
}

/** A refusal is a fault; a server that is down or slow leaves the check unknown. */
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

/** Rethrows any error that is not Meshjoin's own. */
export function ours(error: unknown): MeshjoinError {
  if (error instanceof MeshjoinError) return error;
  throw error;
}
