import { isRefusal } from "../../../shared/core/roots/stages.ts";
import { beginRotation } from "../../../shared/rotate/begin.ts";
import { makeFirstRoot } from "../../../shared/rotate/first-root.ts";
import { importedRoot } from "../../../shared/rotate/root-payload.ts";
import { followUp } from "../../../shared/rotate/rotate.ts";
import { command } from "../../command.ts";
import { showMoved } from "./moved.ts";

/** Imports the first root of a mesh without one, else the next root. */
export const importRoot = command({
  name: "import",
  description: "bring a root of your own: the first of the mesh, or the next one, and begin a rotation to it",
  declare: (bare) =>
    bare.argument("<FILE>", "the root's PEM certificate, followed by its key; - reads standard input"),
  async run(session, _, file: string) {
    const payload = await session.host.readFile(file);
    const first = await session.withPorts(async (access) => {
      const imported = await importedRoot(payload, file, access);
      return await makeFirstRoot(access, () => Promise.resolve(imported));
    });
    const isFirst =
      first.after === undefined || !isRefusal(first.after) || first.after.refused !== "RootExists";
    if (isFirst) return showMoved(session, first);
    return await session.withRun(async (run) => {
      const now = run.ports.clock.now();
      const moved = await beginRotation(run, now, async () => await importedRoot(payload, file, run));
      return showMoved(session, moved, await followUp(run, moved, undefined));
    });
  },
});
