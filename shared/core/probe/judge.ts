import type { ProbeAnswer } from "./answer.ts";
import { PROBE_CAUSES, type ProbeCause } from "./causes.ts";
import { isGatewayOf, isOneNetwork, type ProbeQuestion, type SecondLook } from "./question.ts";

export const PROBE_STATES = ["passed", "failed", "unknown", "none", "absentOnPurpose"] as const;
export type ProbeState = (typeof PROBE_STATES)[number];

/**
 * What the probe says of a pair. `none`: no probe is wanted. `unknown`: it could not be asked, or its answer
 * does not tell. `absentOnPurpose`: no request should pass.
 */
export interface ProbeVerdict {
  readonly state: ProbeState;
  /** The median of several questions. */
  readonly latencyMs?: number;
  readonly at?: string;
  readonly cause?: ProbeCause;
  readonly message?: string;
  readonly cure?: string;
}

/** Envoy's word that an answer came from the other side, so connection and mutual TLS are good. */
const FROM_OTHER_SIDE = "via_upstream";

/** All answers of one pair: it passes if each one passes. No answer at all is unknown. */
export function judgeAnswers(
  question: ProbeQuestion,
  answers: readonly ProbeAnswer[],
  look: SecondLook = {},
): ProbeVerdict {
  if (answers.length === 0) return probeVerdict("NotAsked", question);
  const bad = answers.find((answer) => causeOf(question, answer, look) !== undefined);
  const cause = bad === undefined ? undefined : causeOf(question, bad, look);
  if (cause !== undefined) return probeVerdict(cause, question, bad);
  const latency = median(answers.flatMap(({ latencyMs }) => latencyMs ?? []));
  return { state: "passed", ...(latency === undefined ? {} : { latencyMs: latency }) };
}

/** Of a pair that was not asked, and why: in the words of the member that kept it from being asked. */
export function unaskedVerdict(
  cause: "NotAsked" | "NoProbe",
  why: { readonly message: string; readonly cure: string },
): ProbeVerdict {
  return { state: PROBE_CAUSES[cause].state, cause, ...why };
}

/** No object of a probe can bring these about. */
const ELSEWHERE: ReadonlySet<ProbeCause> = new Set([
  "GatewayRefuses",
  "GatewaySilent",
  "GatewayUnknown",
  "IssuerUnknown",
  "NoProbe",
  "RawAddress",
  "ReaderNotTrusted",
  "TargetNotTrusted",
  "TargetSilent",
  "ThroughGateway",
  "WrongCluster",
]);

/** Whether an object of either side's probe that is missing, or was changed, may be the reason. */
export function mayBeOfProbe({ cause }: Pick<ProbeVerdict, "cause">): boolean {
  return cause !== undefined && !ELSEWHERE.has(cause);
}

function probeVerdict(cause: ProbeCause, question: ProbeQuestion, answer?: ProbeAnswer): ProbeVerdict {
  const { state, says, cure } = PROBE_CAUSES[cause];
  return { state, cause, message: says(question, answer), cure: cure(question) };
}

/** Why the answer is no pass; undefined for a pass. */
export function causeOf(
  question: ProbeQuestion,
  answer: ProbeAnswer,
  look: SecondLook = {},
): ProbeCause | undefined {
  return answer.details === FROM_OTHER_SIDE
    ? causeOfAnswer(question, answer)
    : causeOfSilence(question, answer, look);
}

/** Connection and mutual TLS are good; was it the target that answered, and by the right way? */
function causeOfAnswer(question: ProbeQuestion, answer: ProbeAnswer): ProbeCause | undefined {
  const { clusterId } = question.target;
  if (answer.issuedBy !== undefined && answer.issuedBy !== clusterId) return "WrongCluster";
  if (answer.answersFor !== undefined && answer.answersFor !== clusterId) return "WrongCluster";
  const astray = causeOfWay(question, answer);
  if (astray !== undefined) return astray;
  if (answer.status === 403) return "RefusedByPolicy";
  if (answer.status !== 200 || answer.answersFor === undefined) return "AnswerMissing";
  return answer.issuedBy === undefined ? "IssuerUnknown" : undefined;
}

/** On one network pods are dialled, and across networks known gateways alone. */
function causeOfWay(question: ProbeQuestion, { host }: ProbeAnswer): ProbeCause | undefined {
  const isGateway = isGatewayOf(question, host);
  if (isOneNetwork(question)) return isGateway ? "ThroughGateway" : undefined;
  if (isGateway) return undefined;
  return question.gateways === undefined ? "GatewayUnknown" : "RawAddress";
}

/** Envoy of the reader answered in the place of the other side. */
function causeOfSilence(question: ProbeQuestion, answer: ProbeAnswer, look: SecondLook): ProbeCause {
  const flags = (answer.flags ?? "").split(",");
  if (answer.details === undefined || flags.includes("NC") || flags.includes("NR")) return "QuestionUnknown";
  if (flags.includes("UH")) return causeOfNoEndpoint(look);
  if (isRawAddress(question, answer)) return "RawAddress";
  if (flags.includes("UF")) return causeOfNoConnection(question, answer, look);
  if (flags.includes("UC")) return answer.hasIssuer ? "ReaderNotTrusted" : "NoMutualTls";
  return flags.includes("UT") ? "NoAnswerInTime" : "Unexplained";
}

/** The reason for whatever happened there: pods of another network are not to be dialled at all. */
function isRawAddress(question: ProbeQuestion, { host }: ProbeAnswer): boolean {
  const { gateways } = question;
  const isKnown = host !== undefined && gateways !== undefined;
  return isKnown && !isOneNetwork(question) && !isGatewayOf(question, host);
}

function causeOfNoEndpoint({ endpoints }: SecondLook): ProbeCause {
  if (endpoints === undefined) return "NoHealthyEndpoint";
  if (endpoints.length === 0) return "NoEndpoint";
  if (endpoints.every(({ isUnhealthy }) => isUnhealthy)) return "TargetNotReady";
  return endpoints.some(({ isEjected }) => isEjected) ? "EndpointEjected" : "NoHealthyEndpoint";
}

function causeOfNoConnection(
  question: ProbeQuestion,
  answer: ProbeAnswer,
  { targetAnswersItself }: SecondLook,
): ProbeCause {
  const text = `${answer.details ?? ""} ${answer.failure ?? ""}`;
  const isGateway = !isOneNetwork(question);
  if (/Connection_refused/i.test(text)) return isGateway ? "GatewayRefuses" : "TargetRefuses";
  if (/connection_timeout/i.test(text)) return isGateway ? "GatewaySilent" : "TargetSilent";
  if (/CERTIFICATE_VERIFY_FAILED/i.test(text)) return "TargetNotTrusted";
  if (isGateway && /reset|closed|termination/i.test(text)) {
    if (targetAnswersItself === undefined) return "GatewayEndedConnection";
    return targetAnswersItself ? "GatewayClosed" : "TargetDeadBehindGateway";
  }
  return "ConnectionEnded";
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
