import { reconcile } from "../../shared/reconcile.ts";
import { scopeOf } from "../cluster.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

/** To be called is the confirmation that another version of Istio waits for. */
export async function upgrade(session: Session, cluster: string | undefined): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const request = { scope, reason: "upgrade", confirm: ["IstioVersionDiffers"], rollOut: true };
    const reconciled = await reconcile(run, request);
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}
