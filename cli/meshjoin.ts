import { doctor, preflight } from "./commands/doctor.ts";
import { join } from "./commands/join.ts";
import { label } from "./commands/label.ts";
import { leave } from "./commands/leave.ts";
import { open } from "./commands/open.ts";
import { plan } from "./commands/plan.ts";
import { root } from "./commands/root.ts";
import { rotate } from "./commands/rotate.ts";
import { status } from "./commands/status.ts";
import { sync } from "./commands/sync.ts";
import { upgrade } from "./commands/upgrade.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import type { Host } from "./host.ts";
import type { Order } from "./order.ts";
import { parseArguments } from "./parse.ts";
import { describeError, openSession, type Session } from "./session.ts";

/** The whole command `meshjoin` but for the process; it never throws. */
export async function meshjoin(args: readonly string[], host: Host): Promise<ExitCode> {
  const parsed = parseArguments(args, host);
  if (typeof parsed === "number") return parsed;
  const session = openSession(host, parsed.format);
  try {
    return await carryOut(session, parsed.order);
  } catch (error) {
    session.say(describeError(error));
    return exitCodeOf(error);
  }
}

function carryOut(session: Session, order: Order): Promise<ExitCode> {
  switch (order.command) {
    case "status":
      return status(session);
    case "plan":
      return plan(session, order.cluster);
    case "sync":
      return sync(session, order);
    case "upgrade":
      return upgrade(session, order.cluster);
    case "rotate":
      return rotate(session, order);
    case "root":
      return root(session, order.root);
    case "label":
      return label(session, order.cluster);
    case "join":
      return join(session, order.cluster);
    case "leave":
      return leave(session, order.cluster);
    case "open":
      return open(session, order);
    case "doctor":
      return doctor(session, order.url);
    case "preflight":
      return preflight(session, order.region);
  }
}
