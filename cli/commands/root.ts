import { isRefusal, type Refusal, stageOf } from "../../shared/core/roots/stages.ts";
import { beginRotation } from "../../shared/rotate/begin.ts";
import type { Changed } from "../../shared/rotate/change-roots.ts";
import { makeFirstRoot } from "../../shared/rotate/first-root.ts";
import { generatedRoot, importedRoot, type RootAlgorithm } from "../../shared/rotate/root-payload.ts";
import { viewRoots } from "../../shared/rotate/root-view.ts";
import { carryOut, followUp, type RootAction } from "../../shared/rotate.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { RootOrder } from "../order.ts";
import { type Moved, renderMoved } from "../render/moved.ts";
import { renderRootView } from "../render/root-view.ts";
import type { Session } from "../session.ts";
import { exitCodeOfRun } from "./reconciled.ts";

export async function root(session: Session, order: RootOrder): Promise<ExitCode> {
  switch (order.action) {
    case "status":
      session.show(await session.withRun(viewRoots), renderRootView);
      return EXIT.done;
    case "init":
      return await init(session, order.algorithm);
    case "import":
      return await bring(session, order.file);
    case "rotate":
      return await move(session, "start");
    case "advance":
      return await move(session, order.action, order);
    case "pause":
    case "resume":
    case "abort":
      return await move(session, order.action);
  }
}

async function init(session: Session, algorithm: RootAlgorithm): Promise<ExitCode> {
  return await session.withPorts(async (given) => {
    const make = () => generatedRoot(given.spec, given.ports.clock.now(), algorithm);
    return show(session, await makeFirstRoot(given, make));
  });
}

/** The first root of a mesh that has none; else the next one. */
async function bring(session: Session, file: string): Promise<ExitCode> {
  const payload = await session.host.readFile(file);
  const made = await session.withPorts(async (given) => {
    const brought = await importedRoot(payload, file, given);
    return await makeFirstRoot(given, () => Promise.resolve(brought));
  });
  const isFirst = made.after === undefined || !isRefusal(made.after) || made.after.refused !== "RootExists";
  if (isFirst) return show(session, made);
  return await session.withRun(async (run) => {
    const now = run.ports.clock.now();
    const moved = await beginRotation(run, now, async () => await importedRoot(payload, file, run));
    return show(session, moved, await followUp(run, moved, undefined));
  });
}

type Advance = Extract<RootOrder, { readonly action: "advance" }>;

async function move(
  session: Session,
  action: RootAction,
  { without, confirm }: Pick<Advance, "without" | "confirm"> = { without: [], confirm: [] },
): Promise<ExitCode> {
  return await session.withRun(async (run) => {
    const order = { action, without, confirm, givenAt: run.ports.clock.now() };
    const { moved, reconciled } = await carryOut(run, order);
    return moved === undefined ? EXIT.failed : show(session, moved, reconciled);
  });
}

function show(
  session: Session,
  { before, after }: Changed,
  reconciled?: Parameters<typeof exitCodeOfRun>[0],
): ExitCode {
  const from = stageOf(before);
  const refused = after === undefined ? OUT_OF_DATE : isRefusal(after) ? after : undefined;
  const { versions, notes } = after === undefined || isRefusal(after) ? before : after;
  const moved: Moved = {
    from,
    to: stageOf({ versions, notes }),
    paused: notes.paused !== undefined,
    without: notes.without,
    signing: versions.signing ?? null,
    refused:
      refused === undefined ? null : { code: refused.refused, message: refused.message, cure: refused.cure },
    ...(reconciled === undefined ? {} : { summary: reconciled.summary }),
  };
  session.show(moved, renderMoved);
  if (moved.refused !== null) return EXIT.failed;
  return reconciled === undefined ? EXIT.done : exitCodeOfRun(reconciled);
}

const OUT_OF_DATE: Refusal = {
  refused: "OrderOutOfDate",
  message: "somebody else has given a later order meanwhile, or moved the rotation on",
  cure: "look where it stands: meshjoin root status",
};
