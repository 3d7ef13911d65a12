import type { Cluster } from "../core/cluster/cluster.ts";
import { type DrainNote, isSameNote, newerNote } from "../core/member/drain.ts";
import { ConflictError, RefusedError } from "../errors.ts";
import { drainCopy, drainNoteObject, drainNoteRef } from "../istio/drain-note.ts";
import type { DropDrainNote, NoteDrain } from "../plan/action.ts";
import type { MemberApi } from "../ports/member-api.ts";

/** Losing more races than this means a fault. */
const ATTEMPTS = 3;

/** The note that holds in the member now, and whether this run wrote it. */
export interface HeldNote {
  readonly wrote: boolean;
  readonly held: DrainNote;
}

/**
 * Writes the note, unless a newer one about the same cluster has come since the look: that one holds.
 * RefusedError `ForeignObject` where the name is taken.
 */
export async function writeDrainNote(
  api: MemberApi,
  { of, note }: Pick<NoteDrain, "of" | "note">,
  target: Cluster,
  meshId: string,
  signal: AbortSignal,
): Promise<HeldNote> {
  const object = drainNoteObject(meshId, { clusterId: of, gkeId: target.id, ref: target.ref }, note);
  for (let attempt = 1; ; attempt += 1) {
    const existing = await api.reader.get(drainNoteRef(of), signal);
    const copy = existing && drainCopy(existing, meshId);
    if (copy !== undefined && copy.owner !== "ours") throw foreign(copy.name);
    if (
      copy?.note !== undefined &&
      copy.gkeId === target.id &&
      isSameNote(newerNote(copy.note, note), copy.note)
    )
      return { wrote: false, held: copy.note };
    try {
      if (existing === undefined) await api.writer.create(object, signal);
      else {
        const { uid, resourceVersion } = existing.metadata;
        const metadata = {
          ...object.metadata,
          ...(uid && { uid }),
          ...(resourceVersion && { resourceVersion }),
        };
        await api.writer.replace({ ...object, metadata }, signal);
      }
      return { wrote: true, held: note };
    } catch (error) {
      const hasMoved = error instanceof ConflictError && RACES.has(error.code);
      if (!hasMoved || attempt >= ATTEMPTS) throw error;
    }
  }
}

const RACES: ReadonlySet<string> = new Set(["AlreadyExists", "Conflict", "NotFound"]);

/** A copy that has changed since the look stays: a new drain may have begun. */
export async function dropDrainNote(
  api: MemberApi,
  { of, secret: { uid, resourceVersion } }: DropDrainNote,
  signal: AbortSignal,
): Promise<void> {
  await api.writer.delete(drainNoteRef(of), { uid, resourceVersion }, signal);
}

function foreign(name: string): RefusedError {
  return new RefusedError(`Secret ${name} exists and is not Meshjoin's`, {
    code: "ForeignObject",
    cure: "delete it: Meshjoin keeps the note of a drain there",
  });
}
