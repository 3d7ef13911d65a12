import pLimit from "p-limit";
import { connectPair } from "../apply/connect.ts";
import type { Run } from "../apply.ts";
import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import { type Finding, finding } from "../core/finding.ts";
import { isReachable, type Member } from "../core/observation.ts";
import { outcomeOf } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import { type Evidence, type Expectation, verifyMember } from "../look/istiods.ts";
import { peerStanding, planMember, type Standing } from "../plan/member.ts";
import { type PairPlan, planPairs } from "../plan/pair.ts";
import { judgePair, keyOf, type PairResult, type Written } from "./judge-pair.ts";
import { type Late, noteLoaded } from "./note-loaded.ts";
import {
  contextOf,
  type Judging,
  MEMBER_CONCURRENCY,
  type MemberResult,
  observeMembers,
  WAIT_MS,
} from "./own-halves.ts";

/** Pairs that are written at the same time; each is a handful of requests on two API servers. */
const PAIR_CONCURRENCY = 16;

export interface PairsInput extends Judging {
  readonly clusters: readonly Cluster[];
  /** All of them, where nothing was written since they were seen. */
  readonly observed: readonly Member[] | undefined;
  /** What round one did; their clusters are the subjects. */
  readonly results: readonly MemberResult[];
}

export interface PairsResult {
  readonly pairs: readonly PairResult[];
  readonly findings: readonly Finding[];
  /** What became apparent of a subject after its own half, by cluster ID. */
  readonly late: ReadonlyMap<string, Late>;
  readonly errors: readonly MeshjoinError[];
}

/** Round two: peers are read only now, after the subjects' own halves are on record. */
export async function reconcilePairs(run: Run, input: PairsInput): Promise<PairsResult> {
  const subjects = new Set(
    input.results
      .filter(({ outcome }) => outcome !== "failed" && outcome !== "waiting")
      .map((each) => each.clusterId),
  );
  if (subjects.size === 0) return { pairs: [], findings: [], late: new Map(), errors: [] };

  const members = input.observed ?? (await observeMembers(run, input.clusters, "peer"));
  const standings = new Map(
    members.map((member) => [member.clusterId, peerStanding(member, contextOf(run, member, input))]),
  );
  const plans = planPairs(members, subjects, { spec: run.spec, standings, now: run.ports.clock.now() });
  const written = await connectAll(run, plans, members);
  const evidence = await verifyAll(run, plans, members, subjects, written);
  const judged = plans.map((plan) => judgePair(plan, { subjects, written, evidence }));
  for (const { synced, pair } of judged) {
    if (synced !== true) continue;
    const { reader, target, outcome } = pair;
    run.report({ step: "pairSynced", clusterId: reader, target, outcome });
  }
  const loaded = await noteLoaded(run, members, subjects, evidence);
  return {
    pairs: judged.map(({ pair }) => pair),
    findings: judged.flatMap(({ findings }) => findings),
    late: new Map([...loaded.late, ...lapses(run, input, { members, subjects, standings })]),
    errors: [
      ...[...written.values()].flatMap((each) => (each instanceof MeshjoinError ? [each] : [])),
      ...[...evidence.values()].flatMap(({ error }) => error ?? []),
      ...loaded.errors,
    ],
  };
}

interface Round {
  readonly members: readonly Member[];
  readonly subjects: ReadonlySet<string>;
  readonly standings: ReadonlyMap<string, Standing>;
}

/**
 * Subjects whose own half was whole a moment ago and is not now: a control plane that is resized, a pod that moves. Nobody
 * but their own event would look for them again.
 */
function lapses(run: Run, input: PairsInput, { members, subjects, standings }: Round): [string, Late][] {
  return [...subjects]
    .filter((id) => standings.get(id) !== "complete")
    .map((id) => {
      const member = members.find(({ clusterId }) => clusterId === id);
      const findings = member === undefined ? [] : planMember(member, contextOf(run, member, input)).findings;
      return [id, { outcome: "waiting", findings: findings.length > 0 ? findings : [lapsed(id)] }];
    });
}

function lapsed(id: string): Finding {
  return finding("RunInterrupted", `${id} was whole and is not any more`, "nothing: it is tried again", id);
}

async function connectAll(
  run: Run,
  plans: readonly PairPlan[],
  members: readonly Member[],
): Promise<Written> {
  const byId = new Map(members.filter(isReachable).map((member) => [member.clusterId, member]));
  const limit = pLimit(PAIR_CONCURRENCY);
  const entries = plans.flatMap((plan) => {
    const { action } = plan;
    const reader = byId.get(plan.reader);
    const target = byId.get(plan.target);
    if (action === undefined || reader === undefined || target === undefined) return [];
    return [
      limit(async (): Promise<[string, boolean | MeshjoinError]> => {
        try {
          const wrote = await connectPair(run.ports, run.spec, { reader, target }, action, run.signal);
          const outcome = wrote ? outcomeOf(action) : "unchanged";
          run.report({ step: "connect", clusterId: plan.reader, target: plan.target, outcome });
          return [keyOf(plan), wrote];
        } catch (error) {
          if (!(error instanceof MeshjoinError)) throw error;
          return [keyOf(plan), error];
        }
      }),
    ];
  });
  return new Map(await Promise.all(entries));
}

/** Every reader is asked, at the same time, for all its targets at once. */
async function verifyAll(
  run: Run,
  plans: readonly PairPlan[],
  members: readonly Member[],
  subjects: ReadonlySet<string>,
  written: Written,
): Promise<ReadonlyMap<string, Evidence>> {
  const limit = within(run.signal, WAIT_MS);
  const expectations = members.flatMap((member): Expectation[] => {
    if (!isReachable(member) || member.state.pods.length === 0) return [];
    const targets = plans
      .filter((plan) => plan.reader === member.clusterId && isWritten(plan, written))
      .map(({ target }) => target);
    const cacerts = member.state.cacerts?.owner === "ours" ? member.state.cacerts : undefined;
    const unseen = subjects.has(member.clusterId) && cacerts?.loadedAt === undefined;
    const intermediate = unseen ? cacerts?.fingerprint : undefined;
    return targets.length === 0 && intermediate === undefined ? [] : [{ member, targets, intermediate }];
  });
  const atOnce = pLimit(MEMBER_CONCURRENCY * 2);
  const evidence = await Promise.all(
    expectations.map((expectation) => atOnce(() => verifyMember(run.ports, expectation, limit))),
  );
  return new Map(evidence.map((each) => [each.clusterId, each]));
}

function isWritten(plan: PairPlan, written: Written): boolean {
  if (plan.standing === "current") return true;
  return plan.standing === "connect" && typeof written.get(keyOf(plan)) === "boolean";
}
