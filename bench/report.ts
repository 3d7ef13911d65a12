import { renderTable } from "../shared/table.ts";
import type { ColdStart } from "./cold-start.ts";
import type { FullRun } from "./full-run.ts";
import type { Join } from "./join.ts";
import { cell } from "./target.ts";

export interface Report {
  readonly coldStarts: readonly ColdStart[];
  readonly joins: readonly Join[];
  readonly fullRuns: readonly FullRun[];
}

/** For people: a table for each question, and the meaning of its columns. */
export function renderReport({ coldStarts, joins, fullRuns }: Report): string {
  return [
    joinSection(joins),
    byHandSection(joins),
    fullRunSection(fullRuns),
    coldStartSection(coldStarts),
  ].join("\n\n");
}

function joinSection(joins: readonly Join[]): string {
  const head = [
    "N",
    "requests",
    "target",
    "connections",
    "target",
    "port-forwards",
    "written",
    "verified",
    "peak memory",
  ];
  const rows = joins.map((join) => [
    String(join.n),
    String(join.requests),
    cell(join.targets.requests),
    String(join.connections),
    cell(join.targets.connections),
    String(join.portForwards),
    milliseconds(join.writtenMs),
    milliseconds(join.verifiedMs),
    `${Math.round(join.peakMemory / 1e6)} MB`,
  ]);
  return `A new cluster becomes member N, on real API servers

${renderTable(head, rows)}

requests       the function's, to Google's APIs and to API servers, verification and port-forwards included;
               at most 12 per peer + the number of Istio's objects + 20
connections    the function's, to all API servers; at most one per API server, kept alive
port-forwards  WebSockets to API servers, a connection each; every connection of either kind is one TLS handshake
written        from the delivery of the audit-log entry until the last remote secret is written
verified       the same, until every istiod lists its new peers as synced
peak memory    resident, of the function's process, during this join; with less memory it is less: docs/cost.md`;
}

function byHandSection(joins: readonly Join[]): string {
  const head = ["N", "pair exchange", "by hand", "ratio", "target", "manifest", "by hand", "ratio"];
  const rows = joins.map((join) => [
    String(join.n),
    milliseconds(join.exchangeMs),
    milliseconds(join.exchangeByHandMs),
    ratio(join.exchangeByHandMs, join.exchangeMs),
    join.targets.exchange === undefined ? "" : cell(join.targets.exchange),
    milliseconds(join.manifestMs),
    milliseconds(join.manifestByHandMs),
    ratio(join.manifestByHandMs, join.manifestMs),
  ]);
  return `The same work the usual way, in the same run

${renderTable(head, rows)}

pair exchange  a reader token and a remote secret for each pair of the new cluster, both ways;
               by hand: istioctl create-remote-secret | kubectl apply, one pair after the other
manifest       Istio's objects in the new cluster; by hand: kubectl apply of the same objects, in a cluster without them`;
}

function fullRunSection(fullRuns: readonly FullRun[]): string {
  const head = [
    "N",
    "median",
    "slowest",
    "round trips",
    "CPU",
    "requests",
    "port-forwards",
    "to Google",
    "log lines",
    "runs",
  ];
  const rows = fullRuns.map((run) => [
    String(run.n),
    milliseconds(run.medianMs),
    milliseconds(run.slowestMs),
    String(run.roundTrips),
    milliseconds(run.cpuMs),
    average(run.requestsPerMember),
    average(run.portForwardsPerIstiod),
    String(run.googleRequests),
    String(run.logLines),
    String(run.runs),
  ]);
  return `A full run that finds nothing to do, of a warm function; N API servers share this machine with it

${renderTable(head, rows)}

median         from POST /sync to its answer
round trips    sequential ones, with those of TLS and without those of TCP: the factor by which a delay of 500 ms
               lengthens a run
CPU            of the function's process, for one run
requests       to API servers, for each member
port-forwards  to istiods, for each of them
to Google      requests to GKE and Secret Manager, for one run
log lines      for one run`;
}

function average(count: number): string {
  return Number(count.toFixed(1)).toString();
}

function coldStartSection(coldStarts: readonly ColdStart[]): string {
  const head = ["first event", "compile cache", "median", "slowest", "starts", "target"];
  const rows = coldStarts.map((each) => [
    each.firstEvent,
    each.compileCache,
    milliseconds(each.medianMs),
    milliseconds(each.slowestMs),
    String(each.runs),
    each.target === undefined ? "" : cell(each.target),
  ]);
  return `Cold start: from the start of the function's process to its first answer; the targets are for an idle machine

${renderTable(head, rows)}

first event    ignored: not for Meshjoin; looked up: the function asks GKE about a cluster, for which it loads all clients
compile cache  warm: NODE_COMPILE_CACHE names the cache of an earlier start`;
}

function milliseconds(ms: number): string {
  return `${ms} ms`;
}

function ratio(byHand: number, meshjoin: number): string {
  return `${(byHand / meshjoin).toFixed(byHand < 10 * meshjoin ? 1 : 0)} ×`;
}
