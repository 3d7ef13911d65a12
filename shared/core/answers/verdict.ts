import { count } from "../count.ts";
import { drainedIds, isDrained, isHeldAgainst, wantedPairs } from "./drained.ts";
import { distinct, type Finding } from "./finding.ts";
import type { PairStatus, Status } from "./status.ts";

/** `degraded`: it works, and a person should look. `broken`: requests fail, or soon will. */
export type Health = "whole" | "degraded" | "broken";

export interface Verdict {
  readonly health: Health;
  /** What is wrong in numbers, the worst first; a sentence without its period, never empty. */
  readonly text: string;
  /** The findings of the mesh and of its members that are no notes, the worst first. */
  readonly findings: readonly Finding[];
}

/**
 * The mesh in one line, the same on every surface. A pair that is not due does not count. One that Meshjoin
 * could not look at, or ask the probe about, makes the mesh degraded, and so does an empty mesh: nothing was
 * seen to work. That requests stay away from a drained member, and that it may be silent, is meant; that
 * Meshjoin has drained one by itself, somebody should look at.
 */
export function verdictOf(status: Status): Verdict {
  const { members } = status;
  const drained = drainedIds(members);
  const pairs = wantedPairs(status);
  const all = distinct([...status.findings, ...members.flatMap(({ findings }) => findings)]);
  const held = all.filter((each) => isHeldAgainst(each, drained));
  const errors = held.filter(({ severity }) => severity === "error");
  const warnings = held.filter(({ severity }) => severity === "warning");
  const unreachable = members.filter((member) => !member.reachable && !isDrained(member)).length;
  const rows = Map.groupBy(pairs, ({ reader, target }) => `${reader} ${target}`);
  const pairsWith = (is: (row: PairStatus) => boolean) =>
    [...rows.values()].filter((pods) => pods.some(is)).length;
  const isOpen = (row: PairStatus) => row.status !== "synced" && row.status !== "unknown";
  const apart = pairsWith((row) => isOpen(row) && row.isDue && row.status !== "syncing");
  const unknown = pairsWith((row) => row.status === "unknown");
  const coming = pairsWith((row) => isOpen(row) && (!row.isDue || row.status === "syncing"));
  const asked = [...rows.values()].flatMap(([row]) =>
    row === undefined || row.probe.state === "none" || row.probe.state === "absentOnPurpose"
      ? []
      : [row.probe.state],
  );
  const failing = [...rows.values()].filter(failsThoughSynced).length;
  const unasked = asked.filter((state) => state === "unknown").length;
  const troubles = [
    counted(unreachable, "member", "unreachable"),
    apart === 0 ? "" : `${apart} of ${count(rows.size, "pair")} not synced`,
    failing === 0 ? "" : `requests fail between ${failing} of ${count(rows.size, "pair")}`,
    counted(unknown, "pair", "not known"),
    unasked === 0 ? "" : `requests not known of ${count(unasked, "pair")}`,
    counted(coming, "pair", "not there yet"),
    errors.length === 0 ? "" : count(errors.length, "error"),
    warnings.length === 0 ? "" : count(warnings.length, "warning"),
  ].filter((each) => each !== "");
  const isBroken = errors.length > 0 || apart > 0 || failing > 0;
  const isWhole = troubles.length === 0 && members.length > 0;
  return {
    health: isBroken ? "broken" : isWhole ? "whole" : "degraded",
    text:
      (troubles.join(", ") || wellOf(members.length, rows.size, asked.length)) + drainedWords(drained.size),
    findings: [...errors, ...warnings],
  };
}

/** Of a pair that an istiod does not show as synced that is the reason, and told; its answer adds nothing. */
function failsThoughSynced(pods: readonly PairStatus[]): boolean {
  return (
    pods.some(({ probe }) => probe.state === "failed") &&
    pods.every(({ status }) => status === "synced" || status === "unknown")
  );
}

function drainedWords(members: number): string {
  return members === 0 ? "" : `, ${members} drained`;
}

function counted(number: number, noun: string, state: string): string {
  return number === 0 ? "" : `${count(number, noun)} ${state}`;
}

function wellOf(members: number, pairs: number, asked: number): string {
  if (members === 0) return "no member yet";
  if (pairs === 0) return `${count(members, "member")}, no pair yet`;
  const passed = asked === 0 ? "" : asked === pairs ? ", requests pass" : `, requests pass between ${asked}`;
  return `${members} members, ${pairs === 1 ? "the one pair" : `all ${pairs} pairs`} synced${passed}`;
}
