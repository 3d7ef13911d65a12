import { describe, expect, it } from "@jest/globals";
import { MeshjoinError, UnavailableError } from "../../../shared/errors.ts";
import { portForwardPool } from "../../../shared/limits/port-forward-pool.ts";
import type { IstiodProbe, IstiodSession, RemoteClusterStatus } from "../../../shared/ports/member-api.ts";

const POD = "istiod-0";
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Istiods that answer when told to, and count the port-forwards that are open to each. */
function istiods(names: readonly string[], limit: number) {
  const pool = portForwardPool(limit);
  const opened: string[] = [];
  const open = new Set<IstiodSession>();
  let mostOpen = 0;
  let stale = false;
  const held: (() => void)[] = [];
  let isHeld = false;
  let onClose: (() => void) | undefined;

  function probeOf(name: string): IstiodProbe {
    return {
      open() {
        const session: IstiodSession = {
          async remoteClusters() {
            if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
            const answer: RemoteClusterStatus[] = [{ clusterId: name, secretName: "", status: "synced" }];
            if (stale) {
              stale = false;
              throw new UnavailableError("the connection was reset", { code: "ApiServerUnreachable" });
            }
            return answer;
          },
          networkGateways: () => Promise.resolve([]),
          connectedProxies: () => Promise.resolve([]),
          servedChain: async () => [name],
          close() {
            open.delete(session);
            onClose?.();
          },
        };
        opened.push(name);
        open.add(session);
        mostOpen = Math.max(mostOpen, open.size);
        return session;
      },
    };
  }

  const probes = new Map(names.map((name) => [name, pool.of(probeOf(name))]));
  return {
    opened,
    open,
    mostOpen: () => mostOpen,
    /** Asks the istiod of one member as a phase does: open, ask, close. */
    async ask(name: string, signal?: AbortSignal) {
      const session = probes.get(name)?.open(POD);
      const answer = await session?.remoteClusters(signal);
      session?.close();
      return answer?.map(({ clusterId }) => clusterId);
    },
    async askChain(name: string) {
      const session = probes.get(name)?.open(POD);
      const answer = await session?.servedChain();
      session?.close();
      return answer;
    },
    whenOneCloses: (act: () => void) => void (onClose = act),
    breakNext: () => void (stale = true),
    hold: () => void (isHeld = true),
    release() {
      isHeld = false;
      for (const go of held.splice(0)) go();
    },
    close: () => pool.close(),
  };
}

describe("the pool of port-forwards", () => {
  it("asks an istiod that it asked before over the same port-forward", async () => {
    const world = istiods(["east"], 2);
    expect(await world.ask("east")).toEqual(["east"]);
    expect(await world.ask("east")).toEqual(["east"]);
    expect(world.opened).toEqual(["east"]);
  });

  it("closes the one that has been idle longest when another istiod needs its place", async () => {
    const world = istiods(["east", "west", "north"], 2);
    for (const name of ["east", "west", "east", "north", "east"]) await world.ask(name);
    expect(world.opened).toEqual(["east", "west", "north"]);
    expect(world.mostOpen()).toBe(2);
  });

  it("never opens more than its limit, however many ask at once", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `mesh-${index}`);
    const world = istiods(names, 3);
    const answers = await Promise.all(names.map((name) => world.ask(name)));
    expect(answers.flat()).toEqual(names);
    expect(world.mostOpen()).toBe(3);
  });

  it("reads the chain that istiod serves over a handshake of its own", async () => {
    const world = istiods(["east"], 1);
    await world.ask("east");
    expect(await world.askChain("east")).toEqual(["east"]);
    expect(await world.askChain("east")).toEqual(["east"]);
    expect(world.opened).toEqual(["east", "east", "east"]);
    expect(world.mostOpen()).toBe(1);
  });

  it("asks once more over a new port-forward when the kept one has broken", async () => {
    const world = istiods(["east"], 1);
    await world.ask("east");
    world.breakNext();
    expect(await world.ask("east")).toEqual(["east"]);
    expect(world.opened).toEqual(["east", "east"]);
    expect(world.open.size).toBe(1);
  });

  it("does not ask again when the new one breaks, and gives its place back", async () => {
    const world = istiods(["east", "west"], 1);
    world.breakNext();
    await expect(world.ask("east")).rejects.toMatchObject({ name: "UnavailableError" });
    expect(world.open.size).toBe(0);
    expect(await world.ask("west")).toEqual(["west"]);
  });

  it("leaves a place to the next one when the deadline of the one that waits for it is over", async () => {
    const world = istiods(["east", "west", "north"], 1);
    world.hold();
    const first = world.ask("east");
    await later();
    const deadline = new AbortController();
    const second = world.ask("west", deadline.signal).catch((error: unknown) => error);
    const third = world.ask("north");
    await later();
    // The deadline ends after the second was woken and before it goes on.
    world.whenOneCloses(() => queueMicrotask(() => deadline.abort()));
    world.release();
    expect(await second).toBeInstanceOf(MeshjoinError);
    expect(await first).toEqual(["east"]);
    expect(await third).toEqual(["north"]);
  });

  it("closes what is idle when the run ends", async () => {
    const world = istiods(["east", "west"], 2);
    await world.ask("east");
    await world.ask("west");
    world.close();
    expect(world.open.size).toBe(0);
  });
});
