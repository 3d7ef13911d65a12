import { count } from "../shared/core/count.ts";
import type { MeshSpec } from "../shared/core/spec.ts";
import { MeshjoinError, RootError } from "../shared/errors.ts";
import { listClusters } from "../shared/look/listing.ts";
import { nearest } from "../shared/nearest.ts";
import type { Session } from "./session.ts";

/**
 * The error of a mesh without a root secret gets the values of the mesh label that clusters have: the mesh ID
 * may be mistyped. Any other error stays as it is, and so does this one where nothing can be listed.
 */
export async function withLabelsSeen(error: unknown, session: Session): Promise<unknown> {
  if (!(error instanceof MeshjoinError) || error.code !== "RootSecretMissing") return error;
  try {
    return await session.withPorts(async (access) => {
      const { clusters } = await listClusters(access);
      const cure = cureOf(
        clusters.map(({ labels }) => labels[access.spec.meshLabel]),
        access.spec,
      );
      return cure === undefined
        ? error
        : new RootError(error.message, { code: error.code, cure, cause: error });
    });
  } catch {
    return error;
  }
}

/** Undefined where the mesh has members, or no cluster is labelled for any mesh. */
function cureOf(
  values: readonly (string | undefined)[],
  { meshId, meshLabel }: MeshSpec,
): string | undefined {
  const labelled = values.flatMap((value) => value ?? []);
  const ids = [...new Set(labelled)].toSorted();
  if (ids.length === 0 || ids.includes(meshId)) return undefined;
  const near = nearest(meshId, ids) ?? (ids.length === 1 ? ids[0] : undefined);
  const seen = ids.map((id) => {
    const number = labelled.filter((value) => value === id).length;
    return `${meshLabel}=${id} on ${count(number, "cluster")}`;
  });
  const question = near === undefined ? "" : `did you mean ${near}? `;
  return `${question}labels seen: ${seen.join(", ")}; for a new mesh ${meshId}: meshjoin root init`;
}
