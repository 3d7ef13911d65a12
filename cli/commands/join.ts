import { reconcile } from "../../shared/reconcile.ts";
import type { ExitCode } from "../exit-code.ts";
import { setMeshLabel } from "../mesh-label.ts";
import type { Session } from "../session.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

export async function join(session: Session, name: string): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const { id, cluster, label, changed } = await setMeshLabel(run, name);
    session.say(`${id} ${changed ? "is now labelled" : "is labelled already:"} ${label.key}=${label.value}`);
    const reconciled = await reconcile(run, { scope: { clusterId: id }, reason: "join" }, [cluster]);
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}
