import { distinct, type Finding } from "../../shared/core/answers/finding.ts";
import type { RunStatus, Status } from "../../shared/core/answers/status.ts";
import { type Health, type Verdict, verdictOf } from "../../shared/core/answers/verdict.ts";
import { kubectlOn } from "../../shared/core/cluster/gcloud.ts";
import { count } from "../../shared/core/count.ts";
import { cellTime, sentenceTime } from "../../shared/core/time.ts";
import type { Colour } from "../paint.ts";
import { type Names, namesFor, type Screen } from "../screen.ts";
import { renderContexts } from "./contexts.ts";
import { findingLines, renderFindings } from "./findings.ts";
import { renderFittedTable } from "./fitted-table.ts";
import { FINGERPRINT_DIGITS, membersTable, networksOf } from "./members-table.ts";
import { openPairsTable } from "./open-pairs-table.ts";
import { requestsTable } from "./requests-table.ts";
import { rotationLines } from "./rotation.ts";
import { blocks } from "./words.ts";

const COLOURS: Readonly<Record<Health, Colour>> = { whole: "green", degraded: "yellow", broken: "red" };

/** The verdict, the worst finding and its cure; then every member, and the pairs that are not synced. */
export function renderStatus(status: Status, screen: Screen): string {
  const names = namesFor(screen, status.members);
  const verdict = verdictOf(status);
  return blocks(
    [verdictLine(verdict, screen), ...worstLines(verdict, names)].join("\n"),
    [...head(status), ...roots(status)].join("\n"),
    membersTable(status, screen, names),
    openPairsTable(status, screen, names),
    requestsTable(status, screen, names),
    leftTable(status, screen, names),
    screen.isWide ? latelyTable(status, screen, names) : "",
    renderFindings(others(status, verdict), screen.paint, names),
    contexts(status),
  );
}

/** How each member is reached is known here. */
function contexts({ members, findings }: Status): string {
  const cures = [...findings, ...members.flatMap((member) => member.findings)].map(({ cure }) => cure);
  const endpoints = new Map(members.map((member) => [kubectlOn(member), member.endpoint]));
  return renderContexts(cures, (ref) => endpoints.get(kubectlOn(ref)) === "dns");
}

function verdictLine({ health, text }: Verdict, { paint }: Screen): string {
  return `${paint(COLOURS[health], health.toUpperCase())}: ${text}`;
}

function worstLines({ findings: [worst] }: Verdict, names: Names): string[] {
  return worst === undefined ? [] : findingLines(worst, names);
}

/** All findings but the worst, which stands above. */
function others({ findings, members }: Status, { findings: [worst] }: Verdict): Finding[] {
  const shown = JSON.stringify(worst);
  const all = distinct([...findings, ...members.flatMap((member) => member.findings)]);
  return all.filter((each) => JSON.stringify(each) !== shown);
}

function head({ meshId, time, members, version, istio, runs, writesPaused, rotation }: Status): string[] {
  const [network, ...more] = networksOf(members);
  const within = network === undefined || more.length > 0 ? "" : `, network ${network}`;
  return [
    `Mesh ${meshId} at ${sentenceTime(time)}: ${count(members.length, "member")}${within}`,
    `Meshjoin ${version}, Istio ${istio}`,
    `  last full run: ${runOf(runs.full)}`,
    `  last tick: ${runOf(runs.tick)}`,
    ...(writesPaused === null
      ? []
      : [`  all writes paused since ${sentenceTime(writesPaused)}: meshjoin resume`]),
    ...rotationLines(rotation),
  ];
}

/** A run that is not on record may never have been. */
function runOf(run: RunStatus | "unknown"): string {
  return run === "unknown" ? "not known" : `${sentenceTime(run.at)} (${run.outcome})`;
}

/** The roots that the members' workloads trust. */
function roots({ members }: Status): string[] {
  const up = members.filter(({ reachable }) => reachable);
  const certificates = new Map(up.flatMap(({ root }) => root.map((each) => [each.fingerprint, each])));
  return [...certificates.values()].map(({ fingerprint, notAfter }) => {
    const trusting = up.filter(({ root }) => root.some((each) => each.fingerprint === fingerprint)).length;
    const by = trusting === up.length ? "" : `, trusted by ${trusting} of ${up.length}`;
    return `Root ${fingerprint.slice(0, FINGERPRINT_DIGITS)} until ${sentenceTime(notAfter)}${by}`;
  });
}

function leftTable({ left }: Status, { width }: Screen, names: Names): string {
  if (left.length === 0) return "";
  const rows = left.map(({ clusterId, since, trustedUntil }) => [
    names(clusterId),
    cellTime(since),
    trustedUntil === null ? "not known" : cellTime(trustedUntil),
  ]);
  return renderFittedTable(["LEFT, STILL TRUSTED", "SINCE", "UNTIL"], rows, { width });
}

function latelyTable({ lately }: Status, { width }: Screen, names: Names): string {
  if (lately.length === 0) return "";
  const rows = lately.map(({ at, clusterId, what }) => [
    cellTime(at),
    clusterId === undefined ? "" : names(clusterId),
    what,
  ]);
  return renderFittedTable(["LATELY", "CLUSTER", "EVENT"], rows, { width });
}
