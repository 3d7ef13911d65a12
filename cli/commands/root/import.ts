import { claimSigning, isRefusal, NOT_AS_SHOWN, type Roots } from "../../../shared/core/roots/stages.ts";
import { InputError, MeshjoinError } from "../../../shared/errors.ts";
import { beginRotation } from "../../../shared/rotate/begin.ts";
import { type Changed, readRoots } from "../../../shared/rotate/change-roots.ts";
import { UNKNOWN_VERSION } from "../../../shared/rotate/claim-root.ts";
import { makeFirstRoot } from "../../../shared/rotate/first-root.ts";
import { importedRoot } from "../../../shared/rotate/root-payload.ts";
import { followUp } from "../../../shared/rotate/rotate.ts";
import type { ExitCode } from "../../exit-code.ts";
import { type Foresight, graveCommand } from "../../grave-command.ts";
import type { OperatorAccess, Session } from "../../session.ts";
import { foreseeRotation } from "./foresee.ts";
import { showMoved } from "./moved.ts";

interface Shown {
  /** Of the root in the file. */
  readonly fingerprint: string;
  /** Undefined for a mesh that has no root. */
  readonly roots: Roots | undefined;
}

/** Imports the first root of a mesh without one, else the next root. */
export const importRoot = graveCommand<object, Shown>({
  name: "import",
  description: "bring a root of your own: the first of the mesh, or the next one, and begin a rotation to it",
  declare: (bare) =>
    bare.argument("<FILE>", "the root's PEM certificate, followed by its key; - reads standard input"),
  examples: [
    "meshjoin root import root.pem",
    "cat root-cert.pem root-key.pem | meshjoin root import - --yes",
  ],
  foresee: async (session, _, file: string) => await foresee(session, file),
  async run(session, { shown }, file: string) {
    const payload = await session.host.readFile(file);
    try {
      return await carryOut(session, { file, payload, shown });
    } finally {
      payload.fill(0);
    }
  },
});

interface Import {
  readonly file: string;
  readonly payload: Buffer;
  readonly shown: Shown | undefined;
}

async function carryOut(session: Session, { file, payload, shown }: Import): Promise<ExitCode> {
  const bring = async (access: OperatorAccess) => {
    const imported = await importedRoot(payload, file, access);
    if (shown !== undefined && imported.fingerprint !== shown.fingerprint) throw otherRoot(file);
    return imported;
  };
  if (shown?.roots === undefined) {
    const first = await session.withPorts(async (access) => {
      const imported = await bring(access);
      return await makeFirstRoot(access, () => Promise.resolve(imported));
    });
    if (!hasRoot(first)) return showMoved(session, first);
    if (shown !== undefined) return showMoved(session, { ...first, after: NOT_AS_SHOWN });
  }
  return await session.withRun(async (run) => {
    const givenAt = run.ports.clock.now();
    const moved = await beginRotation(run, {
      givenAt,
      shown: shown?.roots,
      bring: async () => await bring(run),
    });
    return showMoved(session, moved, await followUp(run, moved, undefined));
  });
}

function hasRoot({ after }: Changed): boolean {
  return after !== undefined && isRefusal(after) && after.refused === "RootExists";
}

function otherRoot(file: string): InputError {
  return new InputError(`${file} has changed: it holds another root than the one that was shown`, {
    code: "InvalidInput",
    cure: "give the command again, with the root that you mean",
    field: "FILE",
  });
}

/** Fails where the file holds no root that fits the mesh. */
async function foresee(session: Session, file: string): Promise<Foresight<Shown>> {
  const payload = await session.host.readFile(file);
  const { fingerprint, isFirst } = await session.withPorts(async (access) => {
    const imported = await importedRoot(payload, file, access);
    imported.payload.fill(0);
    return { fingerprint: imported.fingerprint, isFirst: await isWithoutRoot(access) };
  });
  if (isFirst) {
    return {
      effects: [
        `This makes the root in ${file} the first root of the mesh; its members get intermediate CAs of it.`,
      ],
      shown: { fingerprint, roots: undefined },
    };
  }
  const { shown: roots, ...rotation } = await foreseeRotation(session, `the root in ${file}`);
  return { ...rotation, shown: { fingerprint, roots } };
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
