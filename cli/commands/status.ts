import { collectStatus } from "../../shared/status.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { renderStatus } from "../render/status.ts";
import type { Session } from "../session.ts";

export async function status(session: Session): Promise<ExitCode> {
  session.show(await session.withRun((run) => collectStatus(run)), renderStatus);
  return EXIT.done;
}
