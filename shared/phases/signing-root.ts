import { within } from "../async/within.ts";
import { rootFaultOnRecord } from "../core/member/remembered.ts";
import { rootFaults, unsignableRoot } from "../core/roots/no-signing-root.ts";
import { MeshjoinError } from "../errors.ts";
import type { Phase } from "./course.ts";
import { noteRootFault } from "./record.ts";

/** The signer opens the key within this time, or tells nothing. */
const TIMEOUT_MS = 20_000;

/**
 * Asks the authority whether the root can sign: in deep full runs of the functions, and in each full run
 * after one that was told no. So the key of a healthy root is opened once a day. A person at the command line
 * may have no right to the key; `doctor` tells them.
 */
export const signingRoot: Phase = async (run, course) => {
  const { request, mesh } = course;
  if (request.scope !== "mesh") return {};
  const noted = rootFaultOnRecord(mesh.members);
  if (mesh.unusableRoot !== undefined) return { findings: rootFaults(mesh.unusableRoot, noted) };
  const isAsked = request.notedAs === "full" && (request.deep === true || noted !== undefined);
  if (!isAsked) return { findings: [noted ?? []].flat() };
  try {
    await run.ports.authority.check(within(run.signal, TIMEOUT_MS));
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    const fault = unsignableRoot(run.spec, mesh.roots.versions, error);
    return { ...(await noteRootFault(run, course, fault)), findings: [fault] };
  }
  return await noteRootFault(run, course, undefined);
};
