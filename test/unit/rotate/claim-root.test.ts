import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { claimNext, isRefusal, rootsOf } from "../../../shared/core/roots/stages.ts";
import { type MeshjoinError, RootError, UnavailableError } from "../../../shared/errors.ts";
import type { RootKeeper } from "../../../shared/ports/root-keeper.ts";
import type { RootRegistry } from "../../../shared/ports/root-store.ts";
import type { Changed } from "../../../shared/rotate/change-roots.ts";
import { claimRoot } from "../../../shared/rotate/claim-root.ts";
import { fakeClock } from "../../support/fakes/clock.ts";
import { type FakeRootStore, fakeRootStore } from "../../support/fakes/root-store.ts";

const ACTIVE = new AbortController().signal;
const ORIGIN = { "meshjoin.dev_origin": "generated" };
const REFUSED = new RootError("may not change the secret; grant it", { code: "RootAccessDenied" });
const AWAY = new UnavailableError("Secret Manager is away; try again", { code: "Unavailable" });

/** A mesh whose root is version 1, and a version 2 that some person has added for a purpose of their own. */
function aStore(): FakeRootStore {
  const store = fakeRootStore();
  store.addVersion("root 1");
  store.addVersion("a person's");
  store.setAliases({ signing: 1 });
  store.setAnnotations(ORIGIN);
  return store;
}

interface Registry {
  readonly roots: Pick<FakeRootStore, "state">;
  readonly keeper: RootKeeper;
}

async function attempt({ roots, keeper }: Registry): Promise<Changed> {
  const clock = fakeClock();
  const payload = Buffer.from("a new root");
  const registry: RootRegistry = {
    state: (signal) => roots.state(signal),
    isEnabled: () => Promise.resolve(true),
  };
  try {
    return await claimRoot(
      { ports: { roots: registry, keeper, clock }, signal: ACTIVE },
      payload,
      "next",
      (before, _, version) => claimNext(before, version, "generated", clock.now()),
    );
  } finally {
    expect(payload.every((byte) => byte === 0)).toBe(true);
  }
}

type Fault = (call: () => Promise<void>) => Promise<void>;
const FAULTS = {
  "is refused": async () => await Promise.reject(REFUSED),
  "does not arrive": async () => await Promise.reject(AWAY),
  "loses its answer": async (call) => {
    await call();
    throw AWAY;
  },
} as const satisfies Record<string, Fault>;

/** Of the changes of the secret, those of these numbers meet the fault; 1 is the first. */
function faulty(store: FakeRootStore, fault: Fault, isHit: (change: number) => boolean): Registry {
  let changes = 0;
  const update: RootKeeper["update"] = async (...args) => {
    changes += 1;
    const call = async () => await store.update(...args);
    await (isHit(changes) ? fault(call) : call());
  };
  return { roots: store, keeper: { ...store, update } };
}

const sound = (store: FakeRootStore): Registry => ({ roots: store, keeper: store });

async function look(store: FakeRootStore) {
  const { versions, notes } = rootsOf(await store.state());
  const enabled = (await store.list()).flatMap(({ version, enabled: is }) => (is ? [version] : []));
  return { versions, enabled, claim: notes.claim };
}

describe("a root that is added and claimed", () => {
  it("is the one that is enabled beside the others, and nothing is left on record", async () => {
    const store = aStore();
    await attempt(sound(store));
    expect(await look(store)).toEqual({
      versions: { signing: 1, next: 3 },
      enabled: [1, 2, 3],
      claim: undefined,
    });
  });

  it("is never made by an account that may not change the secret, however often it tries", async () => {
    const store = aStore();
    for (let tick = 1; tick <= 6; tick += 1) {
      const registry = faulty(store, FAULTS["is refused"], () => true);
      await expect(attempt(registry)).rejects.toBe(REFUSED);
    }
    expect(store.payloads).toHaveLength(2);
  });

  it.each(
    Object.entries(FAULTS).flatMap(([name, fault]) => [1, 2].map((change) => ({ name, fault, change }))),
  )("leaves no enabled version behind when change $change $name", async ({ fault, change }) => {
    const store = aStore();
    const changed = await attempt(faulty(store, fault, (each) => each === change)).catch(
      (error: MeshjoinError) => error,
    );
    const { versions, enabled } = await look(store);
    const claimed = versions.next === undefined ? [] : [versions.next];
    expect(enabled).toEqual([1, 2, ...claimed]);
    const outcome = changed instanceof Error ? [] : changed.after;
    expect(outcome).toMatchObject(claimed.length === 0 ? [] : { versions });
  });

  it("is disabled when the permission is withdrawn in between", async () => {
    const store = aStore();
    const registry = faulty(store, FAULTS["is refused"], (change) => change > 1);
    await expect(attempt(registry)).rejects.toBe(REFUSED);
    expect(await look(store)).toMatchObject({ versions: { signing: 1 }, enabled: [1, 2] });
  });

  it("is no failure when its claim is made and only the answer is lost", async () => {
    const store = aStore();
    const changed = await attempt(faulty(store, FAULTS["loses its answer"], (change) => change === 2));
    expect(changed.after).toMatchObject({ versions: { signing: 1, next: 3 } });
    expect(await look(store)).toMatchObject({ enabled: [1, 2, 3], claim: undefined });
  });

  it.each<[string, (store: FakeRootStore) => RootKeeper]>([
    [
      "Secret Manager takes no change any more",
      (store) => faulty(store, FAULTS["does not arrive"], (change) => change > 1).keeper,
    ],
    [
      "the answer to its addition is lost",
      (store) => ({
        ...store,
        add: async (payload) => {
          await store.add(payload);
          throw AWAY;
        },
      }),
    ],
  ])("is disabled by the next attempt when %s, and a person's version is not", async (_, keeperOf) => {
    const store = aStore();
    await expect(attempt({ roots: store, keeper: keeperOf(store) })).rejects.toBe(AWAY);
    expect(await look(store)).toMatchObject({ enabled: [1, 2, 3], claim: { after: 2 } });
    await attempt(sound(store));
    expect(await look(store)).toEqual({
      versions: { signing: 1, next: 4 },
      enabled: [1, 2, 4],
      claim: undefined,
    });
  });

  it("adds no key while what was left behind cannot be disabled", async () => {
    const store = aStore();
    await attempt(faulty(store, FAULTS["does not arrive"], (change) => change > 1)).catch(() => undefined);
    const disable = async () => await Promise.reject(AWAY);
    await expect(attempt({ roots: store, keeper: { ...store, disable } })).rejects.toBe(AWAY);
    expect(store.payloads).toHaveLength(3);
  });
});

/**
 * Every call waits for its turn; a change of the secret may also be heard as failed and come to pass later.
 */
function interleaved(store: FakeRootStore, scheduler: fc.Scheduler, lost: readonly boolean[]): Registry {
  const inTurn =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await scheduler.schedule(Promise.resolve());
      return await scheduler.schedule(call(...args));
    };
  const fates = lost.values();
  const update = inTurn(async (...args: Parameters<RootKeeper["update"]>) => await store.update(...args));
  const add = inTurn(async (payload: Buffer) => await store.add(payload));
  return {
    roots: { state: inTurn(async () => await store.state()) },
    keeper: {
      ...store,
      // Sent bytes have left the process: wiping the payload does not change them.
      add: async (payload) => await add(Buffer.from(payload)),
      list: inTurn(async () => await store.list()),
      disable: inTurn(async (version: number) => await store.disable(version)),
      async update(...args) {
        if (fates.next().value !== true) return await update(...args);
        void update(...args).catch(() => undefined);
        throw AWAY;
      },
    },
  };
}

const LOST = { status: "rejected", reason: expect.objectContaining({ retryable: true }) };

describe("attempts that come at once, with answers that are lost", () => {
  it("never disable a root that is claimed, and claim none that they have not added", async () => {
    const lost = fc.array(fc.boolean(), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), lost, lost, async (scheduler, ...fates) => {
        const store = aStore();
        const attempts = fates.map(async (fate) => await attempt(interleaved(store, scheduler, fate)));
        const came = await scheduler.waitFor(Promise.allSettled(attempts));
        await scheduler.waitIdle();
        const { versions, enabled, claim } = await look(store);
        expect(versions.next).not.toBe(2);
        expect(enabled).toEqual(expect.arrayContaining([1, 2, versions.next ?? 1]));
        const stray = enabled.filter((version) => version > 2 && version !== versions.next);
        // A stray can be told as Meshjoin's own, so the next attempt disables it.
        expect([claim?.after, stray]).toEqual([stray.length > 0 ? 2 : claim?.after, stray]);
        for (const each of came) expect(each).toEqual(each.status === "rejected" ? LOST : each);
        const claims = came.flatMap((each) => (each.status === "fulfilled" ? (each.value.after ?? []) : []));
        for (const after of claims) {
          expect(isRefusal(after) ? versions.next : after.versions.next).toBe(versions.next);
        }
      }),
      { numRuns: 300 },
    );
  });
});
