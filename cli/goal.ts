import { isDrained, wantedPairs } from "../shared/core/answers/drained.ts";
import type { Finding } from "../shared/core/answers/finding.ts";
import type { PairStatus, Status } from "../shared/core/answers/status.ts";
import { verdictOf } from "../shared/core/answers/verdict.ts";
import { count } from "../shared/core/count.ts";

/** What is still missing, as a sentence without its period; undefined when the goal is reached. */
export type Goal = (status: Status) => string | undefined;

/** The goals that have a name; any other is a cluster. */
export const NAMED_GOALS: ReadonlyMap<string, Goal> = new Map([
  ["synced", allSynced],
  ["whole", whole],
]);

/** The cluster is a member, and all its pairs are synced. */
export function isMember(clusterId: string): Goal {
  return (status) => {
    const { members, findings } = status;
    const member = members.find((each) => each.clusterId === clusterId);
    if (member === undefined) return `${clusterId} is no member`;
    if (!member.reachable) return `${clusterId} is unreachable`;
    const own = wantedPairs(status).filter(({ reader, target }) => [reader, target].includes(clusterId));
    if (own.length === 0 && members.length > 1 && !isDrained(member)) return `${clusterId} has no pair`;
    return missing(own) ?? unlisted(findings);
  };
}

function allSynced(status: Status): string | undefined {
  const { members, findings } = status;
  const hidden = unlisted(findings);
  if (hidden !== undefined) return hidden;
  if (members.length === 0) return "no cluster is a member";
  const away = members.find((member) => !member.reachable && !isDrained(member));
  return away === undefined ? missing(wantedPairs(status)) : `${away.clusterId} is unreachable`;
}

/** A source that is silent may have members, and they pairs, that the status does not know. */
function unlisted(findings: readonly Finding[]): string | undefined {
  return findings.find(({ reason }) => reason === "ListingIncomplete")?.message;
}

function whole(status: Status): string | undefined {
  const { health, text } = verdictOf(status);
  return health === "whole" ? undefined : text;
}

function missing(pairs: readonly PairStatus[]): string | undefined {
  const open = pairs.filter(({ status }) => status !== "synced");
  const [first] = open;
  if (first === undefined) return undefined;
  const rest = new Set(open.map(({ reader, target }) => `${reader} ${target}`)).size - 1;
  const more = rest === 0 ? "" : `, and ${count(rest, "more pair")}`;
  return `${first.reader} reads ${first.target}: ${first.status}${more}`;
}
