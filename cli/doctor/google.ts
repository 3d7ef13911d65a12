import type { Cluster } from "../../shared/core/cluster.ts";
import { nonMemberReason } from "../../shared/core/membership.ts";
import { rootSecretName } from "../../shared/core/names.ts";
import { noSigningRoot } from "../../shared/core/roots/signing.ts";
import { bundleVersions, type RootState } from "../../shared/core/roots/state.ts";
import { INTERMEDIATE_TO_WORKLOAD, type MeshSpec } from "../../shared/core/spec.ts";
import { MeshjoinError, RootError } from "../../shared/errors.ts";
import type { Operator, OperatorPorts } from "../../shared/operator.ts";
import { splitBundle } from "../../shared/pki/bundle.ts";
import { parseCertificate } from "../../shared/pki/certificate.ts";
import { assertIssuing } from "../../shared/pki/root.ts";
import type { TrustBundle } from "../../shared/ports.ts";
import { type Check, fault, fine } from "./check.ts";
import {
  enableApi,
  grantOnProject,
  grantSecretAccess,
  grantSecretToSigner,
  grantSecretView,
} from "./grants.ts";

export interface Caller {
  readonly check: Check;
  readonly email: string | undefined;
}

/** Who Google takes us for. */
export async function checkCredentials({ caller }: OperatorPorts): Promise<Caller> {
  const subject = { check: "credentials" } as const;
  try {
    const email = await caller.email();
    return { check: fine(subject, email ?? "an account that does not tell its name"), email };
  } catch (error) {
    return {
      check: fault(subject, ours(error).message, "gcloud auth application-default login"),
      email: undefined,
    };
  }
}

export interface Project {
  readonly check: Check;
  readonly members: readonly Cluster[];
}

export async function checkProject(
  { directory }: OperatorPorts,
  spec: MeshSpec,
  project: string,
  email: string | undefined,
): Promise<Project> {
  const subject = { check: "clusters", about: project } as const;
  try {
    const { clusters, missingLocations } = await directory.list(project);
    const members = clusters.filter((cluster) => nonMemberReason(cluster, spec) === undefined);
    const check =
      missingLocations.length === 0
        ? fine(subject, `${clusters.length} listed, ${members.length} of them members`)
        : fault(
            subject,
            `no answer from ${missingLocations.join(", ")}`,
            "ask again; until then nothing is known of the clusters there, and nothing is removed",
          );
    return { check, members };
  } catch (error) {
    const { code, message } = ours(error);
    const cures: Readonly<Record<string, string>> = {
      PermissionDenied: grantOnProject(project, "roles/container.clusterViewer", email),
      ServiceDisabled: enableApi("container.googleapis.com", project),
    };
    return { check: fault(subject, message, cures[code]), members: [] };
  }
}

/**
 * Its names, its payloads, and how long what signs is valid. Nothing of a payload but its certificate's dates is told. The names
 * are read by this process, the payloads by whoever signs.
 */
export async function checkRoot(
  ports: OperatorPorts,
  { spec, signerUrl }: Pick<Operator, "spec" | "signerUrl">,
  email: string | undefined,
): Promise<Check> {
  const { meshId, rootProject: project } = spec;
  const secret = { id: rootSecretName(meshId), project };
  const subject = { check: "root", about: secret.id } as const;
  let grant = grantSecretView(secret, email);
  try {
    const state = await ports.roots.state();
    const unsigned = noSigningRoot(spec, state.versions);
    if (unsigned !== undefined) return fault(subject, unsigned.message, unsigned.cure);
    grant = signerUrl === undefined ? grantSecretAccess(secret, email) : grantSecretToSigner(secret);
    const until = signingUntil(await ports.authority.trustBundle(), state, spec, ports.clock.now());
    const trusted = bundleVersions(state.versions).join(", ");
    return fine(
      subject,
      `version ${state.versions.signing} signs, valid until ${until}; trusted: ${trusted}`,
    );
  } catch (error) {
    const { code, message } = ours(error);
    const cures: Readonly<Record<string, string>> = {
      RootAccessDenied: grant,
      ServiceDisabled: enableApi("secretmanager.googleapis.com", project),
    };
    return fault(subject, message, cures[code]);
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
    throw new RootError("two versions hold the same certificate; give the aliases to different roots", {
      code: "RootTwice",
    });
  }
  assertIssuing(signing, `version ${versions.signing}`, now, INTERMEDIATE_TO_WORKLOAD * workloadTtl);
  return signing.notAfter.toISOString();
}

/** What is not an error of ours is none of the doctor's. */
export function ours(error: unknown): MeshjoinError {
  if (error instanceof MeshjoinError) return error;
  throw error;
}
