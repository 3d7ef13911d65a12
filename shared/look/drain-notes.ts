import { within } from "../async/within.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { DRAIN_LABEL } from "../core/names.ts";
import { drainCopies } from "../istio/drain-note.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import { SECRETS } from "./member.ts";

/** One that takes longer holds up nobody. */
export const NOTES_MS = 5000;

/**
 * The members with the notes of drains that they hold now. One that does not answer in time keeps those of
 * the look before: every other member has a copy of each note. Never fails.
 */
export async function lookAtDrainNotes(run: Run, members: readonly Member[]): Promise<readonly Member[]> {
  return await Promise.all(members.map((member) => withNotes(run, member)));
}

async function withNotes(run: Run, member: Member): Promise<Member> {
  if (!isReachable(member)) return member;
  const { reader } = run.ports.fleet.member(member.cluster);
  return await settle<Member>(
    member.clusterId,
    "its notes of drains were read",
    async () => {
      const query = { ...SECRETS, labelSelector: DRAIN_LABEL };
      const notes = await run.inTurn(() => reader.list(query, within(run.signal, NOTES_MS)));
      return { ...member, state: { ...member.state, drainCopies: drainCopies(notes, run.spec.meshId) } };
    },
    () => member,
  );
}
