import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import type { Answer } from "../../../../sandbox/traffic/request.ts";
import { type Result, startSender } from "../../../../sandbox/traffic/sender.ts";

async function resultsOf(send: () => Promise<Answer>): Promise<readonly Result[]> {
  const results: Result[] = [];
  const sender = startSender({ send, perSecond: 200, onResult: (result) => results.push(result) });
  while (results.length === 0) await sleep(5);
  await sender.stop();
  return results;
}

describe("startSender", () => {
  it("takes 200 for a success", async () => {
    const [first] = await resultsOf(async () => ({ status: 200, body: "hello" }));
    expect(first).toEqual({ time: expect.stringMatching(/Z$/), ms: expect.any(Number), status: 200 });
  });

  it("takes any other answer for a failure, with what it says", async () => {
    const [first] = await resultsOf(async () => ({ status: 503, body: "no healthy upstream" }));
    expect(first).toMatchObject({ status: 503, failure: "no healthy upstream" });
  });

  it("takes no answer for a failure, with the reason", async () => {
    const [first] = await resultsOf(async () => {
      throw new Error("read ECONNRESET");
    });
    expect(first).toMatchObject({ status: 0, failure: "Error: read ECONNRESET" });
  });

  it("goes on while answers are late, tries none twice, and has a result for each when it has stopped", async () => {
    let sent = 0;
    const results = await resultsOf(async () => {
      sent += 1;
      await sleep(100);
      return { status: 200, body: "" };
    });
    expect(sent).toBeGreaterThan(1);
    expect(results).toHaveLength(sent);
  });
});
