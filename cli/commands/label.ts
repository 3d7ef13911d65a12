import { EXIT, type ExitCode } from "../exit-code.ts";
import { setMeshLabel } from "../mesh-label.ts";
import { type Labelled, renderLabelled } from "../render/labelled.ts";
import type { Session } from "../session.ts";

/** The label alone: it is an event, and the functions make the cluster a member. */
export async function label(session: Session, name: string): Promise<ExitCode> {
  const labelled = await session.withPorts(async (access): Promise<Labelled> => {
    const { id, label: set, changed } = await setMeshLabel(access, name);
    return { clusterId: id, label: set, outcome: changed ? "updated" : "unchanged" };
  });
  session.show(labelled, renderLabelled);
  return EXIT.done;
}
