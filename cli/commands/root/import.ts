import { claimSigning, isRefusal } from "../../../shared/core/roots/stages.ts";
import { MeshjoinError } from "../../../shared/errors.ts";
import { beginRotation } from "../../../shared/rotate/begin.ts";
import { readRoots } from "../../../shared/rotate/change-roots.ts";
import { UNKNOWN_VERSION } from "../../../shared/rotate/claim-root.ts";
import { makeFirstRoot } from "../../../shared/rotate/first-root.ts";
import { importedRoot } from "../../../shared/rotate/root-payload.ts";
import { followUp } from "../../../shared/rotate/rotate.ts";
import { type Foresight, graveCommand } from "../../grave-command.ts";
import type { OperatorAccess, Session } from "../../session.ts";
import { foreseeRotation } from "./foresee.ts";
import { showMoved } from "./moved.ts";

/** Imports the first root of a mesh without one, else the next root. */
export const importRoot = graveCommand({
  name: "import",
  description: "bring a root of your own: the first of the mesh, or the next one, and begin a rotation to it",
  declare: (bare) =>
    bare.argument("<FILE>", "the root's PEM certificate, followed by its key; - reads standard input"),
  examples: [
    "meshjoin root import root.pem",
    "cat root-cert.pem root-key.pem | meshjoin root import - --yes",
  ],
  foresee: async (session, _, file: string) => await foresee(session, file),
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

/** Fails where the file holds no root that fits the mesh. */
async function foresee(session: Session, file: string): Promise<Foresight> {
  const payload = await session.host.readFile(file);
  const isFirst = await session.withPorts(async (access) => {
    const imported = await importedRoot(payload, file, access);
    imported.payload.fill(0);
    return await isWithoutRoot(access);
  });
  return isFirst
    ? {
        effects: [
          `This makes the root in ${file} the first root of the mesh; its members get intermediate CAs of it.`,
        ],
      }
    : await foreseeRotation(session, `the root in ${file}`);
}

/** Without a secret, or without a version that has a role. */
async function isWithoutRoot(access: OperatorAccess): Promise<boolean> {
  try {
    return !isRefusal(claimSigning(await readRoots(access), UNKNOWN_VERSION, "imported"));
  } catch (error) {
    if (error instanceof MeshjoinError && error.code === "RootSecretMissing") return true;
    throw error;
  }
}
