import type { ClusterRef } from "../core/cluster/cluster.ts";
import { updateClusterCommand } from "../core/cluster/gcloud.ts";
import { ConflictError, RefusedError } from "../errors.ts";
import { CRDS } from "../istio/crds.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { awaitEstablished } from "./crds.ts";

/**
 * Where they are absent, these definitions of the Gateway API. Others may own those that are there, GKE
 * itself for one, so Meshjoin never changes or deletes them.
 */
export async function installGatewayApi(
  { api, ref }: { readonly api: MemberApi; readonly ref: ClusterRef },
  definitions: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<void> {
  const present = await api.reader.list(CRDS, signal);
  const names = new Set(present.map(({ metadata }) => metadata.name));
  const absent = definitions.filter(({ metadata }) => !names.has(metadata.name));
  if (absent.length === 0) return;
  await Promise.all(absent.map((definition) => createDefinition(api, definition, ref, signal)));
  await awaitEstablished(api, absent, { ...CRDS, metadataOnly: false }, signal);
}

async function createDefinition(
  api: MemberApi,
  definition: KubernetesObject,
  ref: ClusterRef,
  signal: AbortSignal,
): Promise<void> {
  try {
    await api.writer.create(definition, signal);
  } catch (error) {
    if (error instanceof ConflictError && error.code === "AlreadyExists") return;
    if (!(error instanceof RefusedError)) throw error;
    throw new RefusedError(
      `the cluster has no Gateway API, and its definition ${definition.metadata.name} may not be made: ${error.message}`,
      {
        code: "GatewayApiUnavailable",
        cure: `let GKE bring it: ${updateClusterCommand(ref, "--gateway-api=standard")}; or grant the permission`,
        cause: error,
      },
    );
  }
}
