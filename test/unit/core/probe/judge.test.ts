import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { named } from "../../../../shared/core/member/observation.ts";
import { parseAnswer, type RawAnswer } from "../../../../shared/core/probe/answer.ts";
import { PROBE_CAUSES } from "../../../../shared/core/probe/causes.ts";
import { causeOf, judgeAnswers } from "../../../../shared/core/probe/judge.ts";
import type { ProbeQuestion, SecondLook } from "../../../../shared/core/probe/question.ts";
import { aCluster } from "../../../support/builders/cluster.ts";

const EAST = named(aCluster({ name: "east" }));
const WEST = named(aCluster({ name: "west" }));
const FAR = named(aCluster({ name: "far", network: { project: "shop", name: "other" } }));
const POD = "10.8.0.7";
const FAR_POD = "10.9.0.7";
const GATEWAY = "10.200.0.1";

const ONE: ProbeQuestion = {
  reader: EAST,
  target: WEST,
  gateways: [],
  members: [EAST.cluster, WEST.cluster],
};
const ACROSS: ProbeQuestion = {
  reader: EAST,
  target: FAR,
  gateways: [GATEWAY],
  members: [EAST.cluster, FAR.cluster],
};

/** An answer of the target itself, by the way that is right for the question. */
function fine({ target, gateways = [] }: ProbeQuestion): RawAnswer {
  return {
    status: 200,
    headers: {
      "x-ask-flags": "-",
      "x-ask-details": "via_upstream",
      "x-ask-failure": "-",
      "x-ask-host": `${gateways[0] ?? POD}:15842`,
      "x-ask-issuer": `L=${target.clusterId},CN=Intermediate CA,O=Istio`,
      "x-ask-took": "1700",
    },
    body: `{"cluster": "${target.clusterId}"}`,
  };
}

/** An answer that the reader's own Envoy gave. */
function local(flags: string, details: string, rest: Record<string, string> = {}): RawAnswer {
  return {
    status: 503,
    headers: { "x-ask-flags": flags, "x-ask-details": details, "x-ask-failure": "-", ...rest },
    body: "no healthy upstream",
  };
}

const at = (host: string) => ({ "x-ask-host": `${host}:15842` });
const withHeaders = (answer: RawAnswer, headers: Record<string, string>): RawAnswer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
});

const REFUSED =
  "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";
const SILENT = "upstream_reset_before_response_started{connection_timeout}";
const ENDED = "upstream_reset_before_response_started{connection_termination}";
const RESET =
  "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|33554464:system_library:OPENSSL_internal:Connection_reset_by_peer}";
const UNTRUSTED =
  "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_self_signed_certificate_in_certificate_chain:TLS_error_end}";
const ALPN =
  "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268436576:SSL_routines:OPENSSL_internal:TLSV1_ALERT_NO_APPLICATION_PROTOCOL:TLS_error_end}";

const UH = local("UH", "no_healthy_upstream");
const endpoint = { address: POD, isUnhealthy: false, isEjected: false };

type Row = [cause: string, ProbeQuestion, RawAnswer, SecondLook?];

const ROWS: readonly Row[] = [
  ["TargetRefuses", ONE, local("UF", REFUSED, at(POD))],
  ["GatewayRefuses", ACROSS, local("UF", REFUSED, at(GATEWAY))],
  ["TargetSilent", ONE, local("UF", SILENT, at(POD))],
  ["GatewaySilent", ACROSS, local("UF", SILENT, at(GATEWAY))],
  ["TargetNotTrusted", ONE, local("UF", UNTRUSTED, at(POD))],
  ["TargetNotTrusted", ACROSS, local("UF", UNTRUSTED, at(GATEWAY))],
  ["ReaderNotTrusted", ONE, local("UC", ENDED, { ...at(POD), "x-ask-issuer": "L=x,CN=Intermediate CA" })],
  ["NoMutualTls", ONE, local("UC", ENDED, at(POD))],
  ["NoEndpoint", ONE, UH, { endpoints: [] }],
  ["TargetNotReady", ONE, UH, { endpoints: [{ ...endpoint, isUnhealthy: true }] }],
  ["EndpointEjected", ONE, UH, { endpoints: [{ ...endpoint, isEjected: true }] }],
  ["NoHealthyEndpoint", ONE, UH],
  ["GatewayEndedConnection", ACROSS, local("UF", RESET, at(GATEWAY))],
  ["GatewayClosed", ACROSS, local("UF", RESET, at(GATEWAY)), { targetAnswersItself: true }],
  ["TargetDeadBehindGateway", ACROSS, local("UF", RESET, at(GATEWAY)), { targetAnswersItself: false }],
  ["RawAddress", ACROSS, withHeaders(fine(ACROSS), at(FAR_POD))],
  ["RawAddress", ACROSS, local("UF", SILENT, at(FAR_POD))],
  ["ThroughGateway", { ...ONE, gateways: [GATEWAY] }, withHeaders(fine(ONE), at(GATEWAY))],
  ["GatewayUnknown", { ...ACROSS, gateways: undefined }, withHeaders(fine(ACROSS), at(GATEWAY))],
  ["QuestionUnknown", ONE, { ...local("NC", "cluster_not_found"), body: "" }],
  ["QuestionUnknown", ONE, { status: 404, headers: {}, body: "" }],
  ["AnswerMissing", ONE, { ...fine(ONE), status: 503, body: "no healthy upstream" }],
  ["AnswerMissing", ONE, { ...fine(ONE), status: 404, body: "" }],
  ["AnswerMissing", ONE, { ...fine(ONE), body: "hello" }],
  ["RefusedByPolicy", ONE, { ...fine(ONE), status: 403, body: "RBAC: access denied" }],
  ["WrongCluster", ONE, { ...fine(ONE), body: `{"cluster": "${EAST.clusterId}"}` }],
  ["WrongCluster", ONE, withHeaders(fine(ONE), { "x-ask-issuer": `L=${EAST.clusterId},CN=Intermediate CA` })],
  ["IssuerUnknown", ONE, withHeaders(fine(ONE), { "x-ask-issuer": "CN=another CA,O=shop" })],
  ["IssuerUnknown", ONE, withHeaders(fine(ONE), { "x-ask-issuer": `O=shop\\,L=${WEST.clusterId},CN=CA` })],
  ["ConnectionEnded", ONE, local("UF", ALPN, at(POD))],
  ["NoAnswerInTime", ONE, local("UT", "response_timeout", at(POD))],
  ["Unexplained", ONE, local("UO", "overflow")],
];

describe("an answer of the probe", () => {
  it.each([
    ["on one network", ONE],
    ["across networks", ACROSS],
    ["of the member itself", { ...ONE, target: EAST }],
  ])("passes %s", (_, question) => {
    expect(judgeAnswers(question, [parseAnswer(fine(question))])).toEqual({
      state: "passed",
      latencyMs: 1.7,
    });
  });

  it.each(ROWS)("is %s", (...[cause, question, raw, look]) => {
    const verdict = judgeAnswers(question, [parseAnswer(raw)], look);
    expect(verdict).toMatchObject({ cause, message: expect.any(String), cure: expect.any(String) });
    expect(["failed", "unknown"]).toContain(verdict.state);
  });

  it("has a row for every cause", () => {
    const causes = new Set([...ROWS.map(([cause]) => cause), "NotAsked", "NoProbe"]);
    expect([...causes].toSorted()).toEqual(Object.keys(PROBE_CAUSES).toSorted());
  });

  it("that did not come is unknown, and no failure", () => {
    expect(judgeAnswers(ONE, [])).toMatchObject({ state: "unknown", cause: "NotAsked" });
  });

  it("gives the median of several", () => {
    const answers = ["9000", "1000", "2000"].map((took) =>
      parseAnswer(withHeaders(fine(ONE), { "x-ask-took": took })),
    );
    expect(judgeAnswers(ONE, answers)).toEqual({ state: "passed", latencyMs: 2 });
    expect(judgeAnswers(ONE, answers.slice(0, 2))).toEqual({ state: "passed", latencyMs: 5 });
  });

  it("passes without a latency where Envoy measured none", () => {
    expect(judgeAnswers(ONE, [parseAnswer(withHeaders(fine(ONE), { "x-ask-took": "-" }))])).toEqual({
      state: "passed",
    });
  });

  it("that is bad among good ones is the pair's", () => {
    const answers = [fine(ONE), local("UF", SILENT, at(POD)), fine(ONE)].map(parseAnswer);
    expect(judgeAnswers(ONE, answers)).toMatchObject({ state: "failed", cause: "TargetSilent" });
  });

  it("names the firewall rule that lets pods reach each other", () => {
    const { cure } = judgeAnswers(ONE, [parseAnswer(local("UF", SILENT, at(POD)))]);
    expect(cure).toMatch(/^gcloud compute firewall-rules create meshjoin-pods --project=shop /);
    for (const { podRanges } of ONE.members) expect(cure).toContain(podRanges.cidrs.join(","));
  });

  it("names a rule for the gateway's port with the reader's pods", () => {
    const { cure } = judgeAnswers(ACROSS, [parseAnswer(local("UF", SILENT, at(GATEWAY)))]);
    expect(cure).toContain("--network=other");
    expect(cure).toContain("--allow=tcp:15443");
    expect(cure).toContain(`--source-ranges=${EAST.cluster.podRanges.cidrs.join(",")} `);
  });

  it.each([
    ["certificate", withHeaders(fine(ONE), { "x-ask-issuer": `L=${EAST.clusterId},CN=Intermediate CA` })],
    ["body", { ...fine(ONE), body: `{"cluster": "${EAST.clusterId}"}` }],
  ])("names the cluster that answered in the target's place, by its %s", (_, raw) => {
    expect(judgeAnswers(ONE, [parseAnswer(raw)]).message).toContain(
      `not ${WEST.clusterId} but ${EAST.clusterId} answered`,
    );
  });

  it("takes no text for a cluster that names none", () => {
    const town = withHeaders(fine(ONE), { "x-ask-issuer": "L=Zürich,CN=CA of a person" });
    expect(judgeAnswers(ONE, [parseAnswer(town)])).toMatchObject({
      state: "unknown",
      cause: "IssuerUnknown",
    });
    const body = JSON.stringify({ cluster: `\u001b[2J${"x".repeat(9000)}` });
    expect(judgeAnswers(ONE, [parseAnswer({ ...fine(ONE), body })])).toMatchObject({
      cause: "AnswerMissing",
    });
  });

  it("quotes no character that a terminal obeys", () => {
    const raw = local("UF", "CERTIFICATE_VERIFY_FAILED", { "x-ask-failure": "\u009b2J\u001b[31m \u202e" });
    const odd = local("DC\u001b", "\u009bx", { "x-ask-failure": "\u001b[31m" });
    for (const each of [raw, odd])
      expect(judgeAnswers(ONE, [parseAnswer(each)]).message).toMatch(/^[\x20-\x7E]+$/);
  });

  it("quotes no text of any length", () => {
    const long = local("UF", "CERTIFICATE_VERIFY_FAILED", { ...at(POD), "x-ask-failure": "x".repeat(9000) });
    expect(judgeAnswers(ONE, [parseAnswer(long)]).message?.length).toBeLessThan(600);
  });
});

const words = fc.constantFrom("-", "", "via_upstream", "UF", "UC", "UH", REFUSED, SILENT, RESET, "DC");
const issuers = fc.oneof(
  fc.constantFrom(EAST, WEST, FAR).map(({ clusterId }) => `L=${clusterId},CN=Intermediate CA,O=Istio`),
  fc.constantFrom("", "-", "CN=x", "L=", `O=L=${WEST.clusterId}`, `O=a\\,L=${FAR.clusterId}`),
);
const bodies = fc.oneof(
  fc.constantFrom(EAST, WEST, FAR).map(({ clusterId }) => `{"cluster": "${clusterId}"}`),
  fc.constantFrom("", "{}", "null", "[]", '{"cluster": 1}', "hello"),
);
const answers: fc.Arbitrary<RawAnswer> = fc
  .record({
    status: fc.constantFrom(200, 200, 200, 403, 404, 503),
    flags: words,
    details: fc.oneof({ weight: 3, arbitrary: fc.constant("via_upstream") }, words),
    failure: words,
    host: fc.constantFrom("-", "", `${POD}:15842`, `${FAR_POD}:15842`, `${GATEWAY}:15443`, GATEWAY),
    issuer: issuers,
    body: bodies,
  })
  .map(({ status, flags, details, failure, host, issuer, body }) => ({
    status,
    headers: {
      "x-ask-flags": flags,
      "x-ask-details": details,
      "x-ask-failure": failure,
      "x-ask-host": host,
      "x-ask-issuer": issuer,
    },
    body,
  }));

describe("no answer is a pass", () => {
  const questions = fc.constantFrom(
    ONE,
    ACROSS,
    { ...ACROSS, gateways: [] },
    { ...ACROSS, gateways: undefined },
  );
  const looks: fc.Arbitrary<SecondLook> = fc.constantFrom(
    {},
    { endpoints: [] },
    { targetAnswersItself: true },
  );
  const passes = (question: ProbeQuestion, raw: RawAnswer, look: SecondLook) =>
    causeOf(question, parseAnswer(raw), look) === undefined;

  it("with another issuer, another body, or another status", () => {
    fc.assert(
      fc.property(questions, answers, looks, (question, raw, look) => {
        const { clusterId } = question.target;
        const isRight =
          raw.headers["x-ask-issuer"] === `L=${clusterId},CN=Intermediate CA,O=Istio` &&
          raw.body === `{"cluster": "${clusterId}"}` &&
          raw.headers["x-ask-details"] === "via_upstream" &&
          raw.status === 200;
        return isRight || !passes(question, raw, look);
      }),
      { numRuns: 2000 },
    );
  });

  it("by an address of another network that is no known gateway", () => {
    fc.assert(
      fc.property(answers, looks, (raw, look) => {
        const isGateway = raw.headers["x-ask-host"] === `${GATEWAY}:15443`;
        const unknown = { ...ACROSS, gateways: undefined };
        return (isGateway || !passes(ACROSS, raw, look)) && !passes(unknown, raw, look);
      }),
      { numRuns: 2000 },
    );
  });

  it("can be seen to pass, so the properties say something", () => {
    const seen = fc.sample(answers, 3000).filter((raw) => passes(ACROSS, raw, {}));
    expect(seen.length).toBeGreaterThan(0);
  });
});
