import { preview } from "../../shared/preview.ts";
import { scopeOf } from "../cluster.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { renderPlan } from "../render/plan.ts";
import type { Session } from "../session.ts";

export async function plan(session: Session, cluster: string | undefined): Promise<ExitCode> {
  const planned = await session.withRun(async (run) => {
    const scope = await scopeOf(run, cluster, session.say);
    return await preview(run, { scope, reason: "plan" });
  });
  session.show(planned, renderPlan);
  return EXIT.done;
}
