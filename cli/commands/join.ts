import type { Cluster } from "../../shared/core/cluster.ts";
import { type NonMemberReason, nonMemberReason } from "../../shared/core/membership.ts";
import { clusterId } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { InputError, type MeshjoinError, NotReadyError, RefusedError } from "../../shared/errors.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { findCluster } from "../cluster.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { labelled, otherMesh } from "./label.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

export async function join(session: Session, name: string): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const { meshLabel: key, meshId: value } = run.spec;
    const found = await findCluster(run, name);
    const id = clusterId(found.ref);
    const cluster = labelled(found, { key, value });
    assertJoinable(found, cluster, run.spec);
    const changed = await run.ports.labels.set(cluster.ref, { key, value }, run.signal);
    session.say(`${id} ${changed ? "is now labelled" : "is labelled already:"} ${key}=${value}`);
    const reconciled = await reconcile(run, { scope: { clusterId: id }, reason: "join" }, [cluster]);
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}

/** A label that would not make it a member is not set. */
function assertJoinable(found: Cluster, cluster: Cluster, spec: MeshSpec): void {
  const other = otherMesh(found, spec);
  if (other !== undefined) throw other;
  const reason = nonMemberReason(cluster, spec);
  if (reason !== undefined) throw notJoinable(clusterId(cluster.ref), reason);
}

function notJoinable(id: string, reason: NonMemberReason): MeshjoinError {
  switch (reason) {
    case "NotAllowed":
      return new InputError(`${id} may not join; add its name to MESHJOIN_ALLOW`, {
        code: reason,
        field: "CLUSTER",
      });
    case "ProjectNotConfigured":
      return new InputError(`the project of ${id} is not configured; add it to MESHJOIN_PROJECTS`, {
        code: reason,
        field: "CLUSTER",
      });
    case "Provisioning":
      return new NotReadyError(`${id} is still being made; join it once it runs`, { code: reason });
    case "Stopping":
      return new RefusedError(`${id} is being deleted; name another cluster`, { code: reason });
    case "Failed":
    case "NotLabelled":
    case "OtherMesh":
      return new RefusedError(`${id} does not run; mend the cluster, then join it`, { code: reason });
  }
}
