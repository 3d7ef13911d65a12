import { rotateIntermediates } from "../../shared/rotate.ts";
import { scopeOf } from "../cluster.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { exitCodeOfRun, showReconciled } from "./reconciled.ts";

export interface RotateOptions {
  readonly cluster?: string;
  readonly compromised: boolean;
}

/** Replaces intermediates that were issued before now. */
export async function rotate(session: Session, { cluster, compromised }: RotateOptions): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    const reason = compromised ? "compromise" : "manual";
    const reconciled = await rotateIntermediates(run, { scope, reason, givenAt: run.ports.clock.now() });
    showReconciled(session, reconciled);
    return exitCodeOfRun(reconciled);
  });
}
