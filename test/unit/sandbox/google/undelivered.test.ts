import { describe, expect, it } from "@jest/globals";
import { createUndelivered } from "../../../../sandbox/google/pubsub/undelivered.ts";

describe("undelivered messages", () => {
  it("count from the moment of publishing until they are settled", async () => {
    const undelivered = createUndelivered();
    const { promise, resolve } = Promise.withResolvers<string>();
    const publishing = undelivered.publishing(() => promise);
    expect(undelivered.count()).toBe(1);
    resolve("1");
    await publishing;
    expect(undelivered.count()).toBe(1);
    undelivered.settled("1");
    expect(undelivered.count()).toBe(0);
  });

  it("do not count any more when they were settled before the server answered", async () => {
    const undelivered = createUndelivered();
    const { promise, resolve } = Promise.withResolvers<string>();
    const publishing = undelivered.publishing(() => promise);
    undelivered.settled("1");
    resolve("1");
    await publishing;
    expect(undelivered.count()).toBe(0);
  });

  it("do not count when they could not be published, nor when somebody else published them", async () => {
    const undelivered = createUndelivered();
    const failing = undelivered.publishing(() => Promise.reject(new Error("the server is gone")));
    await expect(failing).rejects.toThrow("the server is gone");
    undelivered.settled("7");
    expect(undelivered.count()).toBe(0);
  });
});
