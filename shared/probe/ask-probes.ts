import { count } from "../core/count.ts";
import type { Member } from "../core/member/observation.ts";
import type { ProbeAnswer } from "../core/probe/answer.ts";
import type { ProbeCause } from "../core/probe/causes.ts";
import { causeOf, judgeAnswers, type ProbeVerdict, unaskedVerdict } from "../core/probe/judge.ts";
import type { ProbeQuestion } from "../core/probe/question.ts";
import type { Mesh } from "../look/mesh.ts";
import { pairContextOf } from "../plan/mesh.ts";
import { gatewaysOf } from "../plan/networks.ts";
import { type PairPlan, planPairs } from "../plan/pair.ts";
import { planContext } from "../plan-context.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import { askReader, type Inquiry, type ReaderAnswers } from "./ask-reader.ts";
import { type Probed, type Probes, type Why, whyOf } from "./probes.ts";

/** An ordered pair, and whether a request passes. */
export interface ProbedPair {
  readonly reader: string;
  readonly target: string;
  readonly route: "direct" | "gateway" | "none";
  readonly probe: ProbeVerdict;
}

export interface AskOptions extends Pick<Inquiry, "rounds"> {
  /** As long as the first answers may be wrong; 0 for probes that have been there for a while. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks the probe of each reader once for all its targets, itself included, and judges every ordered pair
 * among these members. A pair that should carry no request is not asked for.
 */
export async function askProbes(
  run: Run,
  mesh: Mesh,
  probes: Probes,
  options: AskOptions,
): Promise<ProbedPair[]> {
  const pairs = pairsAmong(run, mesh, probes);
  const byReader = Map.groupBy(pairs, ({ reader }) => reader.clusterId);
  const members = mesh.members.filter(({ clusterId }) => probes.has(clusterId));
  const asked = new Map(
    await Promise.all(
      members.map(async (reader) => {
        const own = byReader.get(reader.clusterId) ?? [];
        return [reader.clusterId, await ask(run, mesh, { reader, own, probes }, options)] as const;
      }),
    ),
  );
  const at = run.ports.clock.now().toISOString();
  return pairs.map(({ reader, target, absent }) => {
    const direct = reader.network === target.network ? "direct" : "gateway";
    return {
      reader: reader.clusterId,
      target: target.clusterId,
      route: absent === undefined ? direct : "none",
      probe: absent ?? { ...verdictOf(mesh, { reader, target, probes, asked }, options.rounds), at },
    };
  });
}

interface Judged {
  readonly reader: Member;
  readonly target: Member;
  /** The verdict of a pair that should carry no request. */
  readonly absent: ProbeVerdict | undefined;
}

function pairsAmong(run: Run, mesh: Mesh, probes: Probes): Judged[] {
  const members = new Map(mesh.members.map((member) => [member.clusterId, member]));
  const context = pairContextOf(mesh, planContext(run, { scope: "mesh" }), "now");
  return planPairs(new Set(probes.keys()), context).flatMap((plan) => {
    const [reader, target] = [members.get(plan.reader), members.get(plan.target)];
    if (reader === undefined || target === undefined) return [];
    if (!probes.has(plan.reader) || !probes.has(plan.target)) return [];
    return [{ reader, target, absent: absence(plan, reader) }];
  });
}

/**
 * To a drained target, without a route, or with a gateway that is closed and a remote secret that is gone
 * because of it.
 */
function absence(plan: PairPlan, { state }: Member): ProbeVerdict | undefined {
  const { isApart = false, isCarried = false, isClosed = false, isDrained = false, target, findings } = plan;
  const isRead =
    state.reachable &&
    state.remoteSecrets.some(({ targetId, isRead: reads }) => targetId === target && reads);
  const isAbsent = isDrained || (isApart ? !isCarried : isClosed && state.reachable && !isRead);
  if (!isAbsent) return undefined;
  const [because] = findings;
  const why = because === undefined ? {} : { message: because.message, cure: because.cure };
  return { state: "absentOnPurpose", ...why };
}

/** Causes that no proxy shows for want of configuration that is still on its way. */
const LASTING: ReadonlySet<ProbeCause> = new Set([
  "GatewaySilent",
  "IssuerUnknown",
  "ReaderNotTrusted",
  "RefusedByPolicy",
  "TargetNotTrusted",
  "TargetSilent",
  "WrongCluster",
]);

const NOT_PUT: Why = { message: "it has no probe", cure: "meshjoin check" };

type Asked = ReaderAnswers | { readonly why: Why };

/** Its objects are there, or may be, so the answer to a question tells how it does. */
function hasProbe(probed: Probed | undefined): boolean {
  return probed?.state === "ready" || probed?.state === "asleep" || probed?.state === "unseen";
}

interface Reading {
  readonly reader: Member;
  readonly own: readonly Judged[];
  readonly probes: Probes;
}

/** The bulkhead of one reader: whatever its probe does, the others are asked. */
async function ask(
  run: Run,
  mesh: Mesh,
  { reader, own, probes }: Reading,
  { settleMs, rounds, signal }: AskOptions,
): Promise<Asked> {
  const { clusterId, cluster } = reader;
  const probed = probes.get(clusterId);
  if (probed?.state !== "ready") return { why: probed?.why ?? NOT_PUT };
  const targets = own.flatMap(({ target, absent }) =>
    absent === undefined && hasProbe(probes.get(target.clusterId)) ? [target] : [],
  );
  const questions = new Map([reader, ...targets].map((target) => [target.clusterId, target] as const));
  const isSettled = (id: string, answer: ProbeAnswer) => {
    const target = questions.get(id);
    if (target === undefined) return true;
    const cause = causeOf(questionOf(mesh, reader, target, [answer]), answer);
    return cause === undefined || LASTING.has(cause);
  };
  return await settle<Asked>(
    clusterId,
    "its probe was asked",
    async () => {
      const asking = { pod: probed.pod, targets: [...questions.keys()], settleMs, rounds, isSettled };
      const answers = await askReader(run.ports.fleet.member(cluster), asking, signal);
      run.progress({ step: "probeAsked", clusterId, outcome: "unchanged" });
      return answers;
    },
    ({ finding }) => ({ why: whyOf(clusterId, finding) }),
  );
}

interface Answered {
  readonly reader: Member;
  readonly target: Member;
  readonly probes: Probes;
  readonly asked: ReadonlyMap<string, Asked>;
}

/** A pass where each of the rounds has passed. */
function verdictOf(mesh: Mesh, { reader, target, probes, asked }: Answered, rounds: number): ProbeVerdict {
  const own = asked.get(reader.clusterId) ?? { why: NOT_PUT };
  if ("why" in own) return unaskedVerdict("NotAsked", own.why);
  const probed = probes.get(target.clusterId);
  if (probed === undefined) return unaskedVerdict("NoProbe", NOT_PUT);
  if (probed.state === "gone" || probed.state === "none") return unaskedVerdict("NoProbe", probed.why);
  const answers = own.answers.get(target.clusterId) ?? [];
  const verdict = judgeAnswers(questionOf(mesh, reader, target, answers), answers, {
    endpoints: own.endpoints.get(target.clusterId),
    targetAnswersItself: answersItself(mesh, target, asked.get(target.clusterId)),
  });
  return verdict.state === "passed" && answers.length < rounds
    ? unaskedVerdict("NotAsked", someLost(reader.clusterId, answers.length, rounds))
    : verdict;
}

function someLost(clusterId: string, answered: number, rounds: number): Why {
  return {
    message: `the probe of ${clusterId} answered ${answered} of ${count(rounds, "question")}`,
    cure: "meshjoin check",
  };
}

function answersItself(mesh: Mesh, target: Member, asked: Asked | undefined): boolean | undefined {
  if (asked === undefined || "why" in asked) return undefined;
  const answers = asked.answers.get(target.clusterId) ?? [];
  if (answers.length === 0) return undefined;
  const question = questionOf(mesh, target, target, answers);
  return answers.every((answer) => causeOf(question, answer) === undefined);
}

/**
 * Not every gateway of the target's network is known while a member of it is silent. Then an address that is
 * none of the known ones says nothing.
 */
function questionOf(
  { members }: Mesh,
  reader: Member,
  target: Member,
  answers: readonly ProbeAnswer[],
): ProbeQuestion {
  const all = members.map((member) => ({ member, gateways: gatewaysOf(member) }));
  const known = all
    .flatMap(({ gateways = [] }) => gateways)
    .filter(({ network }) => network === target.network)
    .flatMap(({ addresses }) => addresses);
  const areAllKnown = !all.some(
    ({ member, gateways }) => member.network === target.network && gateways === undefined,
  );
  const areAmong = answers.every(({ host }) => host === undefined || known.includes(host));
  const clusters = members.map(({ cluster }) => cluster);
  return { reader, target, gateways: areAllKnown || areAmong ? known : undefined, members: clusters };
}
