import { type Finding, finding } from "../core/answers/finding.ts";
import { isUnfinished } from "../core/answers/outcome.ts";
import type { DrainNote } from "../core/member/drain.ts";
import { remoteSecretName } from "../core/names.ts";
import { drainCopy, drainNoteRef } from "../istio/drain-note.ts";
import { ownerOf } from "../istio/ownership.ts";
import { secretRef } from "../istio/secrets.ts";
import { SECRETS } from "../look/member.ts";
import type { PairPlan } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { merge, type PairReport, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { type Phase, wholeSubjects } from "./course.ts";
import { connectAll, type Round, roundOf, verify } from "./pairs.ts";
import { BEGIN_WITHIN_MS } from "./turn.ts";

/**
 * After a drain the readers take the member back, a share of them at a time; the next share when the pairs of
 * this one are synced. Each run begins with a share, whatever became of the one before, so that a reader in
 * trouble of its own holds the others up for no longer than until the next run.
 */
export const comingBack: Phase = async (run, course) => {
  const { mesh, request } = course;
  const round = roundOf(mesh, wholeSubjects(course), planContext(run, request));
  const returning = round.plans.filter(({ isReturning }) => isReturning === true);
  const byTarget = Map.groupBy(returning, ({ target }) => target);
  const size = Math.max(1, Math.floor(run.spec.rotationShare * mesh.members.length));
  return merge(
    ...(await Promise.all([...byTarget.values()].map((plans) => bringBack(run, round, plans, size)))),
  );
};

async function bringBack(run: Run, round: Round, plans: readonly PairPlan[], size: number): Promise<Report> {
  const started = performance.now();
  const reports: Partial<Report>[] = [];
  let remaining = plans;
  let isLate = false;
  while (remaining.length > 0) {
    isLate = run.signal.aborted || performance.now() - started > BEGIN_WITHIN_MS;
    if (isLate) break;
    const share = remaining.slice(0, size);
    remaining = remaining.slice(size);
    // oxlint-disable-next-line no-await-in-loop -- the next share only when this one is synced
    const report = await takeBack(run, round, share);
    // The own halves of the subjects are told already.
    reports.push({ ...report, members: [] });
    if (report.pairs.some(isUnsynced)) break;
  }
  return merge(...reports, {
    pairs: remaining.map(({ reader, target }) => ({ reader, target, outcome: "waiting", counts: true })),
    findings: remaining.length === 0 ? [] : [waits(remaining)],
    isCutShort: isLate,
  });
}

/**
 * A new drain writes its note into the reader first, and then looks for the remote secret. Here the remote
 * secret comes first, and then the look for the note. So one of the two sees the other.
 */
async function takeBack(run: Run, round: Round, share: readonly PairPlan[]): Promise<Report> {
  const plans = await stillServing(run, round, share);
  const written = await connectAll(run, plans, round.mesh.members);
  const kept = new Set(await stillServing(run, round, plans));
  const lost = plans.filter((plan) => !kept.has(plan));
  const undone = await Promise.all(lost.map((plan) => undo(run, round, plan)));
  const left = plans.filter((plan) => kept.has(plan));
  return merge(await verify(run, { ...round, plans: left }, written), ...undone);
}

/** Those whose reader holds no note of a new drain. */
async function stillServing(run: Run, round: Round, plans: readonly PairPlan[]): Promise<PairPlan[]> {
  const isServing = await Promise.all(
    plans.map(({ reader, target }) =>
      settle(
        reader,
        `its note of the drain of ${target} was read`,
        () =>
          run.inTurn(async () => {
            const note = await noteIn(run, round, reader, target);
            return note?.state !== "drained";
          }),
        // The write fails as this did, or tells more.
        () => true,
      ),
    ),
  );
  return plans.filter((_, index) => isServing[index]);
}

async function noteIn(
  { ports, spec, signal }: Run,
  { mesh }: Round,
  reader: string,
  target: string,
): Promise<DrainNote | undefined> {
  const member = mesh.members.find(({ clusterId }) => clusterId === reader);
  if (member === undefined) return undefined;
  const secret = await ports.fleet.member(member.cluster).reader.get(drainNoteRef(target), signal);
  return secret && drainCopy(secret, spec.meshId)?.note;
}

async function undo(run: Run, { mesh }: Round, { reader, target }: PairPlan): Promise<Partial<Report>> {
  const member = mesh.members.find(({ clusterId }) => clusterId === reader);
  if (member === undefined) return {};
  return await settle(
    reader,
    `its remote secret for ${target} was withdrawn`,
    () =>
      run.inTurn(async (): Promise<Partial<Report>> => {
        const { reader: objects, writer } = run.ports.fleet.member(member.cluster);
        const name = remoteSecretName(target);
        const found = await objects.list({ ...SECRETS, fieldSelector: `metadata.name=${name}` }, run.signal);
        const own = found.find(({ metadata }) => ownerOf(metadata, run.spec.meshId) === "ours");
        if (own !== undefined) await writer.delete(secretRef(name), own.metadata.uid ?? "", run.signal);
        return { pairs: [{ reader, target, outcome: "unchanged", counts: true }] };
      }),
    ({ finding: found, error, outcome }): Partial<Report> => ({
      pairs: [{ reader, target, outcome, counts: true }],
      findings: [found],
      errors: [error],
    }),
  );
}

function isUnsynced({ outcome, counts }: PairReport): boolean {
  return counts && isUnfinished(outcome);
}

function waits(remaining: readonly PairPlan[]): Finding {
  const target = remaining[0]?.target ?? "";
  const readers = remaining.map(({ reader }) => reader);
  return finding(
    "ComingBack",
    `the drain of ${target} is over, and ${readers.join(", ")} takes it back when the readers before list it as synced`,
    "nothing: the next run goes on; if it lasts, follow the cures of the other findings",
    target,
  );
}
