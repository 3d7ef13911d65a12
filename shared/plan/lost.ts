import { type Finding, finding } from "../core/answers/finding.ts";
import { formatGoDuration } from "../core/duration.ts";
import type { Departed } from "../core/member/absence.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { sentenceTime } from "../core/time.ts";
import type { Departure, DepartureInput } from "./departures.ts";

/** What the lost ones are judged by, each and all. */
export interface LossInput extends DepartureInput {
  /** More have been lost than may leave without a confirmation. */
  readonly isMass: boolean;
}

/** A departure on the word of a label alone, that no person has decided on. */
export function isLost(
  { departed, absence }: Departure,
  { leavers, leaving }: Pick<DepartureInput, "leavers" | "leaving">,
): boolean {
  if (absence.certainty !== "assumed" || leaving.includes(departed.clusterId)) return false;
  const state = leaverOf(departed, leavers)?.state;
  const namespace = state?.reachable === true ? state.namespace : undefined;
  return namespace?.owner !== "ours" || namespace.leftAt === undefined;
}

/** The members keep their credentials of a lost one through its grace, and of many until it is confirmed. */
export function holdLost(departure: Departure, input: LossInput): Finding[] {
  if (!isLost(departure, input)) return [];
  if (input.isMass) {
    return input.confirm.includes("MassLeave") ? [] : [memberLost(departure, input)];
  }
  const end = endOfGrace(departure, input);
  return end !== undefined && end <= input.now ? [] : [memberLost(departure, input)];
}

/** Proved deletions do not count: they are certain, however many. The last member never goes by itself. */
export function isMassLeave(input: DepartureInput): boolean {
  const { members, spec } = input;
  const lost = lostOf(input).length;
  const isMost = lost > 1 && lost > spec.massLeaveShare * (members.length + lost);
  return isMost || (lost > 0 && members.length === 0);
}

function lostOf(input: DepartureInput): Departure[] {
  return input.departures.filter((departure) => isLost(departure, input));
}

/** A note by a fast clock, or an edited one, would hold the grace open for as long as it likes. */
export function isAhead(
  lostSince: Date,
  { spec, now }: Pick<DepartureInput, "now"> & { readonly spec: Pick<DepartureInput["spec"], "clockSkew"> },
): boolean {
  return lostSince.getTime() > now.getTime() + spec.clockSkew * 1000;
}

/** Undefined while no full run has noted the loss, unless there is no grace. */
function endOfGrace({ departed: { lostSince } }: Departure, input: DepartureInput): Date | undefined {
  const { spec, now } = input;
  const noted = lostSince !== undefined && isAhead(lostSince, input) ? undefined : lostSince;
  const since = noted ?? (spec.leaveGrace === 0 ? now : undefined);
  return since && new Date(since.getTime() + spec.leaveGrace * 1000);
}

/** One for all that are lost, beside the finding of each. Undefined in a run about one cluster. */
export function massLeave(input: LossInput): Finding | undefined {
  if (!input.isMass || input.only !== undefined || input.confirm.includes("MassLeave")) return undefined;
  const ids = lostOf(input).map(({ departed }) => departed.clusterId);
  const ends = endOfTokens(ids, input);
  const until =
    ends === undefined ? "" : `; nothing renews the tokens for them, which end from ${sentenceTime(ends)} on`;
  const all = input.members.length + ids.length;
  const they = all === 1 ? "the last member has" : `${ids.length} of ${all} members have`;
  return finding(
    "MassLeave",
    `${they} lost the label ${input.spec.meshLabel}: ${fewOf(ids)}; Meshjoin removes nothing before a person confirms it${until}`,
    "take them back with the command that the finding MemberLost of each has; if they should leave, confirm it, " +
      "which removes those within the grace at once, too: meshjoin sync --yes",
  );
}

/** The lost ones hold tokens as well: without a member theirs are all that is left. */
function endOfTokens(ids: readonly string[], { members, leavers }: DepartureInput): Date | undefined {
  const ends = [...members, ...leavers]
    .filter(isReachable)
    .flatMap(({ state }) => state.remoteSecrets)
    .flatMap(({ targetId, owner, tokenExpiresAt }) =>
      ids.includes(targetId) && owner === "ours" && tokenExpiresAt !== undefined
        ? [tokenExpiresAt.getTime()]
        : [],
    );
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

export function memberLost(departure: Departure, input: LossInput): Finding {
  const { departed, absence } = departure;
  const id = departed.clusterId;
  return finding(
    "MemberLost",
    `the mesh has lost ${id}: ${absence.why}; ${whenRemoved(departure, input)}`,
    `to take it back: ${absence.cure}; if it should leave: meshjoin leave ${id}`,
    id,
  );
}

function whenRemoved(departure: Departure, input: LossInput): string {
  const { lostSince, isUnpaired } = departure.departed;
  const seen = lostSince === undefined ? "" : `first seen at ${sentenceTime(lostSince)}; `;
  if (isUnpaired === true)
    return `${seen}no member holds credentials of it, and nothing renews its certificates`;
  if (input.isMass)
    return `${seen}the members keep their credentials of it until a person confirms the mass leave`;
  const end = endOfGrace(departure, input);
  if (end === undefined) {
    const grace = formatGoDuration(input.spec.leaveGrace);
    return `the members keep their credentials of it for ${grace} from the first full run that sees it`;
  }
  return end > input.now
    ? `${seen}the members keep their credentials of it until ${sentenceTime(end)}`
    : `${seen}the next full run removes the members' credentials of it`;
}

export function leaverOf({ clusterId }: Departed, leavers: readonly Member[]): Member | undefined {
  return leavers.find((leaver) => leaver.clusterId === clusterId);
}

const NAMED_MAX = 3;

/** Names for a message that may be about very many. */
export function fewOf(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
