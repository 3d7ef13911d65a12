import pLimit from "p-limit";
import type { Run } from "../apply.ts";
import { within } from "../async/within.ts";
import type { Cluster } from "../core/cluster.ts";
import type { Member } from "../core/observation.ts";
import { type Roots, rootsOf } from "../core/roots/stages.ts";
import { type Departures, observeDepartures } from "../phases/departures.ts";
import { contextOf, MEMBER_CONCURRENCY } from "../phases/own-halves.ts";
import { type DeparturePlan, planDepartures } from "../plan/departures.ts";
import { type MemberPlan, peerStanding, planMember, type Standing } from "../plan/member.ts";
import { type PairPlan, planPairs } from "../plan/pair.ts";
import { type Listing, listClusters } from "./listing.ts";
import { observeMember } from "./member.ts";

/** All that a full run would see, from one look at everything. */
export interface Survey extends Departures {
  readonly listing: Listing;
  readonly roots: Roots;
  readonly members: readonly Member[];
}

/** What follows from it. */
export interface Plans {
  /** In the order of the survey's members. */
  readonly memberPlans: readonly MemberPlan[];
  readonly pairPlans: readonly PairPlan[];
  readonly departurePlan: DeparturePlan;
}

export interface PlanOptions {
  /** Pairs as they stand now, or as they would once the members' own halves are applied. */
  readonly pairs: "now" | "afterwards";
  readonly confirm?: readonly string[];
}

/**
 * `memberTimeoutMs`: how long one member may take; default as long as the run. Throws when no project answers, or the root
 * secret's names cannot be read.
 */
export async function survey(run: Run, memberTimeoutMs?: number): Promise<Survey> {
  const { ports, spec, signal } = run;
  const [listing, state] = await Promise.all([listClusters(run), ports.roots.state(signal)]);
  const [error] = listing.failed.values();
  if (error !== undefined && listing.failed.size === spec.projects.length) throw error;
  const members = await observeEach(run, listing.members, memberTimeoutMs);
  return { listing, roots: rootsOf(state), members, ...(await observeDepartures(run, { members, listing })) };
}

/** Nothing is read or written. */
export function plansOf(run: Run, seen: Survey, { pairs, confirm = [] }: PlanOptions): Plans {
  const { listing, roots, members } = seen;
  const { ports, spec } = run;
  const context = { roots, collisions: listing.collisions, confirm };
  const memberPlans = members.map((member) => planMember(member, contextOf(run, member, context)));
  const standings = new Map(
    members.map((member, index): [string, Standing] => {
      const now = peerStanding(member, contextOf(run, member, context));
      const becomes = memberPlans[index]?.standing === "blocked" ? "blocked" : "complete";
      return [member.clusterId, pairs === "now" ? now : becomes];
    }),
  );
  const everybody = new Set(members.map(({ clusterId }) => clusterId));
  const pairPlans = planPairs(members, everybody, { spec, standings, now: ports.clock.now() });
  const departurePlan = planDepartures({ ...seen, only: undefined, confirm, spec });
  return { memberPlans, pairPlans, departurePlan };
}

/** The time of each begins when its turn comes. */
async function observeEach(
  { ports, spec, signal }: Run,
  clusters: readonly Cluster[],
  timeoutMs: number | undefined,
): Promise<Member[]> {
  const limit = pLimit(MEMBER_CONCURRENCY * 2);
  return await Promise.all(
    clusters.map((cluster) =>
      limit(() => observeMember(ports, spec, cluster, "subject", within(signal, timeoutMs))),
    ),
  );
}
