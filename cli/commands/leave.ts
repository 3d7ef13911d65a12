import { clusterId } from "../../shared/core/names.ts";
import { reconcile } from "../../shared/reconcile.ts";
import { findCluster } from "../cluster.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { labelled, otherMesh } from "./label.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

export async function leave(session: Session, name: string): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const { meshLabel: key } = run.spec;
    const change = { key, value: undefined };
    const cluster = await findCluster(run, name);
    const other = otherMesh(cluster, run.spec);
    if (other !== undefined) throw other;
    const changed = await run.ports.labels.set(cluster.ref, change, run.signal);
    session.say(`${clusterId(cluster.ref)} ${changed ? "has lost the" : "has no"} label ${key}`);
    const reconciled = await reconcile(run, { scope: "mesh", reason: "leave" }, [labelled(cluster, change)]);
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}
