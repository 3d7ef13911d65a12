import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { RootKeeper } from "../../shared/ports/root-keeper.ts";
import type { RootStore } from "../../shared/ports/root-store.ts";

/** One world with the secret `prod-root-ca` in it. */
export interface RootWorld {
  readonly store: RootStore;
  readonly keeper: RootKeeper;
  /** Answers the number of the new version. */
  addVersion(payload: string): Promise<number>;
  /** Aliases that are roles, and another owner's beside them. */
  setAliases(aliases: Readonly<Record<string, number>>): Promise<void>;
  setAnnotations(annotations: Readonly<Record<string, string>>): Promise<void>;
  disable(version: number): Promise<void>;
  /** From now on the payload of this version arrives damaged. */
  damage(version: number): void;
  deleteSecret(): Promise<void>;
  deny(): void;
  /** From now on the account lacks this permission. */
  withhold(permission: string): void;
  /** The next request is answered with 429. */
  overloadOnce(): void;
  close(): Promise<void>;
}

export function describeRootKeeper(name: string, start: () => Promise<RootWorld>): void {
  describe(`${name} as a RootKeeper`, () => {
    let world: RootWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    it("creates the secret once", async () => {
      expect(await world.keeper.create()).toBe(false);
      await world.deleteSecret();
      expect(await world.keeper.create()).toBe(true);
      expect(await world.store.state()).toMatchObject({ versions: {}, otherAliases: {}, annotations: {} });
    });

    it("adds a version without an alias, and answers its number", async () => {
      expect(await world.keeper.add(Buffer.from("a"))).toBe(1);
      expect(await world.keeper.add(Buffer.from("b"))).toBe(2);
      expect(await world.store.payload(2)).toEqual(Buffer.from("b"));
      expect((await world.store.state()).versions).toEqual({});
    });

    it("says what the account may do to the secret, and that it is nothing where there is none", async () => {
      const asked = ["secretmanager.secrets.update", "secretmanager.versions.add"];
      expect(await world.keeper.granted(asked)).toEqual(new Set(asked));
      world.withhold("secretmanager.versions.add");
      expect(await world.keeper.granted(asked)).toEqual(new Set(["secretmanager.secrets.update"]));
      await world.deleteSecret();
      expect(await world.keeper.granted(asked)).toEqual(new Set());
    });

    it("changes aliases and annotations together, and keeps somebody else's aliases", async () => {
      await world.addVersion("a");
      await world.addVersion("b");
      await world.setAliases({ signing: 1, prod: 1 });
      const annotations = { team: "mesh", "meshjoin.dev_paused": "true" };
      await world.keeper.update(await world.store.state(), {
        versions: { signing: 1, next: 2 },
        annotations,
      });
      expect(await world.store.state()).toMatchObject({
        versions: { signing: 1, next: 2 },
        otherAliases: { prod: 1 },
        annotations,
      });
      await world.keeper.update(await world.store.state(), { versions: { signing: 2 }, annotations: {} });
      expect(await world.store.state()).toMatchObject({
        versions: { signing: 2 },
        otherAliases: { prod: 1 },
        annotations: {},
      });
    });

    it("changes nothing that somebody else has changed since", async () => {
      await world.addVersion("a");
      const seen = await world.store.state();
      await world.setAliases({ signing: 1 });
      const change = { versions: { next: 1 }, annotations: { a: "b" } };
      await expect(world.keeper.update(seen, change)).rejects.toMatchObject({
        name: "ConflictError",
        code: "Stale",
      });
      expect(await world.store.state()).toMatchObject({ versions: { signing: 1 }, annotations: {} });
    });

    it("lets one of two that come at once change it", async () => {
      await world.addVersion("a");
      const seen = await world.store.state();
      const done = await Promise.allSettled(
        ["x", "y"].map((a) => world.keeper.update(seen, { versions: { signing: 1 }, annotations: { a } })),
      );
      expect(done.map(({ status }) => status).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
        "fulfilled",
        "rejected",
      ]);
    });

    it("disables a version, and one that is disabled or was never there as well", async () => {
      await world.addVersion("a");
      await world.addVersion("b");
      await world.keeper.disable(1);
      await world.keeper.disable(1);
      await world.keeper.disable(7);
      expect(await world.keeper.list()).toEqual([
        { version: 1, enabled: false },
        { version: 2, enabled: true },
      ]);
      await expect(world.store.payload(1)).rejects.toMatchObject({ code: "RootVersionDisabled" });
    });

    it.each<[string, (world: RootWorld) => Promise<unknown>, object]>([
      [
        "a version for a secret that does not exist",
        async (given) => {
          await given.deleteSecret();
          return await given.keeper.add(Buffer.from("a"));
        },
        { name: "RootError", code: "RootSecretMissing" },
      ],
      [
        "a version that may not be added",
        (given) => {
          given.deny();
          return given.keeper.add(Buffer.from("a"));
        },
        { name: "RootError", code: "RootAccessDenied" },
      ],
      [
        "a change that may not be made",
        async (given) => {
          const seen = await given.store.state();
          given.deny();
          return await given.keeper.update(seen, { versions: {}, annotations: {} });
        },
        { name: "RootError", code: "RootAccessDenied" },
      ],
      [
        "a version that may not be disabled",
        async (given) => {
          await given.addVersion("a");
          given.deny();
          return await given.keeper.disable(1);
        },
        { name: "RootError", code: "RootAccessDenied" },
      ],
      [
        "an overloaded API",
        (given) => {
          given.overloadOnce();
          return given.keeper.add(Buffer.from("a"));
        },
        { name: "UnavailableError", code: "ResourceExhausted" },
      ],
    ])("fails by name on %s", async (_, act, expected) => {
      await expect(act(world)).rejects.toMatchObject(expected);
    });
  });
}

export function describeRootStore(name: string, start: () => Promise<RootWorld>): void {
  describe(`${name} as a RootStore`, () => {
    let world: RootWorld;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());

    it("answers no roles before any alias is given", async () => {
      await world.addVersion("a");
      expect(await world.store.state()).toEqual({
        versions: {},
        otherAliases: {},
        etag: expect.any(String),
        annotations: {},
      });
    });

    it("tells an enabled version from a disabled and an absent one", async () => {
      await world.addVersion("a");
      await world.addVersion("b");
      await world.disable(2);
      expect(await Promise.all([1, 2, 3].map((version) => world.store.isEnabled(version)))).toEqual([
        true,
        false,
        false,
      ]);
      world.withhold("secretmanager.versions.get");
      await expect(world.store.isEnabled(1)).rejects.toMatchObject({ code: "RootAccessDenied" });
    });

    it("answers roles as numbers, and annotations", async () => {
      await world.addVersion("a");
      await world.addVersion("b");
      await world.setAliases({ signing: 1, next: 2 });
      await world.setAnnotations({ "meshjoin.dev_paused": "true" });
      expect(await world.store.state()).toMatchObject({
        versions: { next: 2, signing: 1 },
        annotations: { "meshjoin.dev_paused": "true" },
      });
    });

    it("changes the etag with every change of aliases or annotations", async () => {
      await world.addVersion("a");
      const first = (await world.store.state()).etag;
      await world.setAliases({ signing: 1 });
      const second = (await world.store.state()).etag;
      await world.setAnnotations({ "meshjoin.dev_paused": "true" });
      expect(new Set([first, second, (await world.store.state()).etag]).size).toBe(3);
    });

    it("answers a payload byte for byte, in memory of its own", async () => {
      const version = await world.addVersion("kö\0\u{1f511}");
      const payload = await world.store.payload(version);
      expect(payload).toEqual(Buffer.from("kö\0\u{1f511}"));
      payload.fill(0);
      expect(await world.store.payload(version)).toEqual(Buffer.from("kö\0\u{1f511}"));
    });

    it.each<[string, (world: RootWorld) => Promise<unknown>, object]>([
      [
        "a secret that does not exist",
        async (given) => {
          await given.deleteSecret();
          return given.store.state();
        },
        { name: "RootError", code: "RootSecretMissing" },
      ],
      [
        "a secret that may not be read",
        async (given) => {
          given.deny();
          return given.store.state();
        },
        { name: "RootError", code: "RootAccessDenied" },
      ],
      [
        "a payload that may not be read",
        async (given) => {
          await given.addVersion("a");
          given.deny();
          return given.store.payload(1);
        },
        { name: "RootError", code: "RootAccessDenied" },
      ],
      [
        "a version that does not exist",
        async (given) => {
          await given.addVersion("a");
          return given.store.payload(2);
        },
        { name: "RootError", code: "RootVersionMissing" },
      ],
      [
        "a version that is disabled",
        async (given) => {
          await given.addVersion("a");
          await given.disable(1);
          return given.store.payload(1);
        },
        { name: "RootError", code: "RootVersionDisabled" },
      ],
      [
        "a payload that arrives damaged",
        async (given) => {
          await given.addVersion("a");
          given.damage(1);
          return given.store.payload(1);
        },
        { name: "RootError", code: "RootChecksumMismatch" },
      ],
      [
        "an overloaded API",
        async (given) => {
          given.overloadOnce();
          return given.store.state();
        },
        { name: "UnavailableError", code: "ResourceExhausted" },
      ],
      [
        "a cancelled read",
        (given) => given.store.state(AbortSignal.abort()),
        { name: "UnavailableError", code: "Cancelled" },
      ],
      [
        "a cancelled payload",
        (given) => given.store.payload(1, AbortSignal.abort()),
        { name: "UnavailableError", code: "Cancelled" },
      ],
    ])("fails by name on %s", async (_, act, expected) => {
      await expect(act(world)).rejects.toMatchObject(expected);
    });
  });
}
