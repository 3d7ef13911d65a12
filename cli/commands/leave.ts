import { reconcile } from "../../shared/reconcile.ts";
import type { ExitCode } from "../exit-code.ts";
import { removeMeshLabel } from "../mesh-label.ts";
import type { Session } from "../session.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

export async function leave(session: Session, name: string): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const { id, cluster, changed } = await removeMeshLabel(run, name);
    session.say(`${id} ${changed ? "has lost the" : "has no"} label ${run.spec.meshLabel}`);
    const reconciled = await reconcile(run, { scope: "mesh", reason: "leave" }, [cluster]);
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}
