import pLimit from "p-limit";
import { connectPair } from "../apply/connect.ts";
import { annotateLoaded } from "../apply/loaded.ts";
import type { Run } from "../apply.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding, isOutOfReach } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { peerStanding, planMember, type Standing } from "../core/member-plan.ts";
import { isReachable, type Member } from "../core/observation.ts";
import { type Outcome, outcomeOf } from "../core/outcome.ts";
import { foreignRemoteSecret, type PairPlan, planPairs } from "../core/pair-plan.ts";
import type { RootVersions } from "../core/root-state.ts";
import { ConflictError, MeshjoinError } from "../errors.ts";
import { type Evidence, type Expectation, verifyMember } from "../verify.ts";
import { contextOf, MEMBER_CONCURRENCY, type MemberResult, observeMembers, WAIT_MS } from "./members.ts";

/** Pairs that are written at the same time; each is a handful of requests on two API servers. */
const PAIR_CONCURRENCY = 16;

export interface PairsInput {
  readonly clusters: readonly Cluster[];
  /** All of them, where nothing was written since they were seen. */
  readonly observed: readonly Member[] | undefined;
  /** What round one did; their clusters are the subjects. */
  readonly results: readonly MemberResult[];
  readonly roots: RootVersions;
  readonly collisions: ReadonlySet<string>;
  readonly confirm: readonly string[];
}

export interface PairResult {
  readonly reader: string;
  readonly target: string;
  readonly outcome: Outcome;
  /** Whether the outcome speaks for the run; a pair that waits for somebody else's half does not. */
  readonly counts: boolean;
}

export interface PairsResult {
  readonly pairs: readonly PairResult[];
  readonly findings: readonly Finding[];
  /** What became apparent of a subject after its own half, by cluster ID. */
  readonly late: ReadonlyMap<string, Late>;
  readonly errors: readonly MeshjoinError[];
}

export interface Late {
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
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
  const judged = plans.map((plan) => judge(run, plan, subjects, { written, evidence }));
  const loaded = await noteLoaded(run, members, subjects, evidence);
  return {
    pairs: judged.map(({ pair }) => pair),
    findings: [...plans.flatMap(({ findings }) => findings), ...judged.flatMap(({ findings }) => findings)],
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

/** By `reader target`: whether the remote secret was written, or why not. */
type Written = ReadonlyMap<string, boolean | MeshjoinError>;

const keyOf = ({ reader, target }: { readonly reader: string; readonly target: string }) =>
  `${reader} ${target}`;

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
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(WAIT_MS)]);
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

interface Judged {
  readonly pair: PairResult;
  readonly findings: readonly Finding[];
}

interface Done {
  readonly written: Written;
  readonly evidence: ReadonlyMap<string, Evidence>;
}

function judge(run: Run, plan: PairPlan, subjects: ReadonlySet<string>, { written, evidence }: Done): Judged {
  const { reader, target } = plan;
  const settle = (outcome: Outcome, counts: boolean, ...findings: Finding[]): Judged => ({
    pair: { reader, target, outcome, counts },
    findings,
  });
  switch (plan.standing) {
    case "excluded":
      return settle("unchanged", true);
    case "pending":
      return settle("waiting", false);
    case "blocked":
      return settle("failed", true);
    case "current":
    case "connect": {
      const done = written.get(keyOf(plan));
      if (done instanceof MeshjoinError) {
        return settle(unfinished(done), !isOfPeer(done, subjects), faultFinding(done, reader));
      }
      const seen = evidence.get(reader);
      const holder = seen?.heldBy.get(target)?.split("/").at(-1);
      if (holder !== undefined) {
        const found = foreignRemoteSecret(reader, target, { name: holder, isRead: true });
        return settle("failed", true, found);
      }
      const status = seen === undefined ? "unknown" : seen.unsynced.get(target);
      if (status === undefined) {
        run.report({ step: "pairSynced", clusterId: reader, target, outcome: "unchanged" });
        return settle(
          done === true && plan.action !== undefined ? outcomeOf(plan.action) : "unchanged",
          true,
        );
      }
      const error = seen?.error;
      const counts = error === undefined || !isOfPeer(error, subjects);
      return settle(unfinished(error), counts, notSynced(reader, target, status, error));
    }
  }
}

/** Of what is not as it should be: time mends it, unless the error says otherwise. */
function unfinished(error: MeshjoinError | undefined): Outcome {
  return error?.retryable === false ? "failed" : "waiting";
}

/** An unreachable cluster that this run is not about: the full run has it (design rule 9). */
function isOfPeer(error: MeshjoinError, subjects: ReadonlySet<string>): boolean {
  return isOutOfReach(error) && !subjects.has(String(error.fields["clusterId"]));
}

function notSynced(reader: string, target: string, status: string, error?: MeshjoinError): Finding {
  const because = error === undefined ? `lists it as ${status}` : `could not be asked: ${error.message}`;
  return finding(
    "PairNotSynced",
    `istiod of ${reader} does not show ${target} as synced; it ${because}`,
    `check that pods of ${reader} reach the API server of ${target}; istiod logs why: kubectl -n istio-system logs deploy/istiod`,
    reader,
  );
}

/** A conflict means that another run has noted it, or that the Secret was replaced and its successor is to be seen. */
async function noteLoaded(
  run: Run,
  members: readonly Member[],
  subjects: ReadonlySet<string>,
  evidence: ReadonlyMap<string, Evidence>,
): Promise<{ late: Map<string, Late>; errors: MeshjoinError[] }> {
  const late = new Map<string, Late>();
  const errors: MeshjoinError[] = [];
  await Promise.all(
    members.filter(isReachable).map(async (member) => {
      const { clusterId: id, state, cluster } = member;
      const seen = evidence.get(id);
      if (!subjects.has(id) || seen === undefined) return;
      if (state.cacerts?.owner !== "ours" || state.cacerts.loadedAt !== undefined) return;
      if (!seen.loaded) {
        late.set(id, {
          outcome: unfinished(seen.error),
          findings: [seen.error === undefined ? notLoaded(id) : faultFinding(seen.error, id)],
        });
        return;
      }
      try {
        const api = run.ports.fleet.member(cluster);
        await annotateLoaded(api, state.cacerts, run.ports.clock.now(), run.signal);
        run.report({ step: "certificateLoaded", clusterId: id, outcome: "updated" });
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        if (error instanceof ConflictError) return;
        late.set(id, { outcome: unfinished(error), findings: [faultFinding(error, id)] });
        errors.push(error);
      }
    }),
  );
  return { late, errors };
}

function notLoaded(id: string): Finding {
  return finding(
    "CertificateNotLoaded",
    "istiod does not serve the intermediate that was written",
    "kubectl -n istio-system logs deploy/istiod says why; a kubelet takes up to two minutes to bring a changed Secret to the pod",
    id,
  );
}
