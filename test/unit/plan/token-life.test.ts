import { describe, expect, it } from "@jest/globals";
import type { Member, RemoteSecretState } from "../../../shared/core/member/observation.ts";
import { isTokenDue, isTokenEnding, renewalsARun } from "../../../shared/core/member/token-life.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { UnavailableError } from "../../../shared/errors.ts";
import { type Attempt, attemptAll } from "../../../shared/phases/pairs.ts";
import { type PairPlan, planPairs } from "../../../shared/plan/pair.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  aPairContext,
  aReaderSecret,
  aRemoteSecret,
  NOW,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const HOUR = 3_600_000;
const RUN = 600_000;
const SPEC = aSpec();
const WEEK = 7 * 24 * HOUR;

const CLUSTERS = Array.from({ length: 20 }, (_, index) => aCluster({ name: `m${index + 1}` }));
const IDS = CLUSTERS.map(({ ref }) => clusterId(ref));
/** Each renews what it holds by itself, so that a few of them show what all do. */
const READERS = IDS.filter((_, index) => index % 5 === 0);

/** Whether a member (by its number) can be reached at this time, in milliseconds since the beginning. */
type Answers = (member: number, at: number) => boolean;

interface Week {
  /** Tokens that ended, each as `reader target`. */
  readonly dead: readonly string[];
  /** Those that came into their last quarter, when no turn is waited for any more. */
  readonly late: readonly string[];
  readonly renewals: number;
  /** The most that one reader renewed in one run. */
  readonly most: number;
}

/** As a target: it holds nothing but the Secrets that stand for the readers. */
const TARGETS = CLUSTERS.map((cluster) => {
  const readers = CLUSTERS.filter(({ ref }) => READERS.includes(clusterId(ref)));
  return aMember(cluster, {
    readerSecrets: readers.filter((reader) => reader !== cluster).map((reader) => aReaderSecret(reader)),
  });
});
const AWAY = CLUSTERS.map((cluster) => anUnreachableMember(cluster));

/** What the readers hold: by reader, and then by target. */
type Tokens = ReadonlyMap<string, Map<string, RemoteSecretState>>;

function tokensOf(life: number): Tokens {
  const tokenExpiresAt = new Date(NOW.getTime() + life);
  return new Map(
    CLUSTERS.filter(({ ref }) => READERS.includes(clusterId(ref))).map((reader) => {
      const targets = CLUSTERS.filter((target) => target !== reader);
      const held = targets.map((target) => aRemoteSecret(reader, target, { tokenExpiresAt }));
      return [clusterId(reader.ref), new Map(held.map((secret) => [secret.targetId, secret]))];
    }),
  );
}

/** Full runs every ten minutes for a week; the first token of every pair is of the beginning. */
async function aWeek(life: number, answers: Answers, grants: Answers, duration = WEEK): Promise<Week> {
  const tokens = tokensOf(life);
  const { signal } = new AbortController();
  const dead = new Set<string>();
  const late = new Set<string>();
  let renewals = 0;
  let most = 0;
  for (let at = RUN; at <= duration; at += RUN) {
    const now = new Date(NOW.getTime() + at);
    for (const [reader, held] of tokens) {
      for (const secret of held.values()) {
        if (isTokenEnding(secret, now)) late.add(`${reader} ${secret.targetId}`);
        if (secret.tokenExpiresAt! <= now) dead.add(`${reader} ${secret.targetId}`);
      }
    }
    const seen = TARGETS.map((member, index) => (answers(index, at) ? member : AWAY[index]!));
    const plans = [...tokens].flatMap(([reader, held]) => planOf(reader, held, seen, now));
    const counts = new Map<string, number>();
    const attempt: Attempt = ({ clusterId: reader, target }) => {
      if (!grants(IDS.indexOf(target), at)) {
        const fields = { clusterId: target };
        return Promise.resolve(
          new UnavailableError("refused; try again", { code: "ApiServerError", fields }),
        );
      }
      const held = tokens.get(reader);
      const secret = held?.get(target);
      if (secret === undefined) throw new TypeError(`${reader} holds nothing of ${target}`);
      const tokenExpiresAt = new Date(now.getTime() + life);
      held?.set(target, { ...secret, tokenIssuedAt: now, tokenExpiresAt });
      counts.set(reader, (counts.get(reader) ?? 0) + 1);
      renewals += 1;
      return Promise.resolve(true);
    };
    await attemptAll(plans, attempt, signal);
    most = Math.max(most, ...counts.values());
  }
  return { dead: [...dead], late: [...late], renewals, most };
}

/** What a run plans for one reader. Of a pair whose token is not due there is nothing to plan. */
function planOf(
  reader: string,
  held: ReadonlyMap<string, RemoteSecretState>,
  seen: readonly Member[],
  now: Date,
): PairPlan[] {
  const due = seen.filter(({ clusterId: target }) => {
    const secret = held.get(target);
    return secret !== undefined && isTokenDue(secret, reader, target, now);
  });
  if (due.length === 0) return [];
  const own = seen.find((member) => member.clusterId === reader);
  if (own?.state.reachable !== true) return [];
  const members = [{ ...own, state: { ...own.state, remoteSecrets: [...held.values()] } }, ...due];
  const standings = Object.fromEntries(
    members.map(({ clusterId: id, state }) => [id, state.reachable ? "complete" : "blocked"] as const),
  );
  const context = aPairContext(members, { spec: SPEC, standings, now });
  const plans = planPairs(new Set([reader]), context);
  return plans.filter((plan) => plan.reader === reader);
}

/**
 * One fault after the other, each of a quarter of a life, with a run or more between them, and each of
 * another sixth of the members: they are away, then others refuse tokens. No pair is without both its ends
 * for longer.
 */
function faults(life: number): { answers: Answers; grants: Answers } {
  const isIn = (member: number, at: number, kind: number) => {
    const count = Math.floor(at / (life / 2));
    const begins = count * (life / 2) + ((count * 7 * 60_000) % (life / 12));
    return count % 2 === kind && member % 6 === count % 6 && at >= begins && at < begins + life / 4;
  };
  return {
    answers: (member, at) => !isIn(member, at, 0),
    grants: (member, at) => !isIn(member, at, 1),
  };
}

const ALWAYS: Answers = () => true;

describe.each([1, 48])("tokens of %i h among 20 members, with full runs every ten minutes", (hours) => {
  const life = hours * HOUR;

  it("never end within a week", async () => {
    const { dead, late, renewals, most } = await aWeek(life, ALWAYS, ALWAYS);
    expect([dead, late]).toEqual([[], []]);
    expect(renewals).toBeGreaterThan((READERS.length * 19 * (WEEK - life)) / life);
    expect(most).toBeLessThanOrEqual(hours === 1 ? 16 : 1);
  });

  it("never end within a week in which members are away, or refuse tokens, for a quarter of a life, again and again", async () => {
    const { answers, grants } = faults(life);
    expect((await aWeek(life, answers, grants)).dead).toEqual([]);
  });

  it("end for a target that refuses them for good, and for no other", async () => {
    const { dead, late } = await aWeek(life, ALWAYS, (member) => member !== 4, 2.5 * life);
    const refused = READERS.map((reader) => `${reader} ${IDS[4]}`);
    expect(dead.toSorted()).toEqual(refused.toSorted());
    expect(late.toSorted()).toEqual(refused.toSorted());
  });
});

describe("the renewals of a run", () => {
  const of = (hours: number, count: number) =>
    Array.from({ length: count }, () => ({
      tokenIssuedAt: NOW,
      tokenExpiresAt: new Date(NOW.getTime() + hours * HOUR),
    }));
  it.each([
    [1, 168, 199],
    [1, 48, 50],
    [3, 48, 120],
    [16, 1, 19],
    [1, 1, 1],
  ])("are %i for tokens of %i h that a reader of %i holds", (few, hours, count) => {
    expect(renewalsARun(of(hours, count))).toBe(few);
  });

  it("are one where nobody knows when the tokens end", () => {
    expect(renewalsARun([{ tokenIssuedAt: undefined, tokenExpiresAt: undefined }])).toBe(1);
  });
});

describe("a token", () => {
  const due = (hours: number, minutes: number) => {
    const secret = { tokenIssuedAt: NOW, tokenExpiresAt: new Date(NOW.getTime() + hours * HOUR) };
    const pairs = Array.from({ length: 200 }, (_, index) => `target ${index}`);
    const now = new Date(NOW.getTime() + minutes * 60_000);
    return pairs.filter((target) => isTokenDue(secret, "reader", target, now)).length;
  };
  it.each([
    ["of a week", 168, 84 * 60, 118 * 60],
    ["of two days", 48, 24 * 60, 34 * 60],
    ["of an hour, which leaves less room", 1, 13, 25],
    ["of ten minutes, which no haste would keep", 1 / 6, 5, 7],
  ])("%s is due after so many minutes at the earliest, and at the latest", (_, hours, first, last) => {
    expect(due(hours, first - 0.1)).toBe(0);
    expect(due(hours, (first + last) / 2)).toBeGreaterThan(50);
    expect(due(hours, (first + last) / 2)).toBeLessThan(150);
    expect(due(hours, last)).toBe(200);
  });
});
