import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { RootStore } from "../../shared/ports.ts";

/** One world with the secret `prod-root-ca` in it. */
export interface RootWorld {
  readonly store: RootStore;
  /** Answers the number of the new version. */
  addVersion(payload: string): Promise<number>;
  setAliases(aliases: Readonly<Record<string, number>>): Promise<void>;
  setAnnotations(annotations: Readonly<Record<string, string>>): Promise<void>;
  disable(version: number): Promise<void>;
  /** From now on the payload of this version arrives damaged. */
  damage(version: number): void;
  deleteSecret(): Promise<void>;
  deny(): void;
  /** The next request is answered with 429. */
  overloadOnce(): void;
  close(): Promise<void>;
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
      expect(await world.store.state()).toEqual({ versions: {}, etag: expect.any(String), annotations: {} });
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
