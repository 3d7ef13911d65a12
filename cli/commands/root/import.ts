import { isRefusal } from "../../../shared/core/roots/stages.ts";
import { beginRotation } from "../../../shared/rotate/begin.ts";
import { makeFirstRoot } from "../../../shared/rotate/first-root.ts";
import { importedRoot } from "../../../shared/rotate/root-payload.ts";
import { followUp } from "../../../shared/rotate/rotate.ts";
import { command } from "../../command.ts";
import { showMoved } from "./moved.ts";

/** The first root of a mesh that has none; else the next one. */
export const importRoot = command({
  name: "import",
  description: "bring a root of your own: the first of the mesh, or the next one, to which a rotation begins",
  declare: (bare) =>
    bare.argument("<FILE>", "the root's PEM certificate, followed by its key; - reads standard input"),
  async run(session, _, file: string) {
    const payload = await session.host.readFile(file);
    const made = await session.withPorts(async (access) => {
      const brought = await importedRoot(payload, file, access);
      return await makeFirstRoot(access, () => Promise.resolve(brought));
    });
    const isFirst = made.after === undefined || !isRefusal(made.after) || made.after.refused !== "RootExists";
    if (isFirst) return showMoved(session, made);
    return await session.withRun(async (run) => {
      const now = run.ports.clock.now();
      const moved = await beginRotation(run, now, async () => await importedRoot(payload, file, run));
      return showMoved(session, moved, await followUp(run, moved, undefined));
    });
  },
});
