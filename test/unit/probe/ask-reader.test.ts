import { describe, expect, it } from "@jest/globals";
import type { RawAnswer } from "../../../shared/core/probe/answer.ts";
import { askReader, type Inquiry } from "../../../shared/probe/ask-reader.ts";

const PASS: RawAnswer = { status: 200, headers: { "x-ask-details": "via_upstream" }, body: "" };
const FAIL: RawAnswer = { status: 503, headers: { "x-ask-flags": "UH", "x-ask-details": "-" }, body: "" };
const NEVER = new AbortController().signal;

/** One round after the other; `end`: the connection ends before an answer. */
async function ask(
  rounds: readonly (Readonly<Record<string, RawAnswer>> | "end")[],
  how: Partial<Inquiry> = {},
) {
  let next = 0;
  const session = {
    async ask(targets: readonly string[]) {
      const round = rounds[next] ?? "end";
      next += 1;
      await Promise.resolve();
      if (round === "end") throw new Error("the connection ended before an answer");
      return new Map(Object.entries(round).filter(([target]) => targets.includes(target)));
    },
    endpoints: async () => await Promise.resolve(undefined),
    close: () => undefined,
  };
  const inquiry = {
    pod: "probe-0",
    targets: ["east", "west"],
    settleMs: 5000,
    rounds: 1,
    isSettled: (_: string, { flags }: { readonly flags: string | undefined }) => flags === undefined,
    ...how,
  };
  const { answers } = await askReader({ probe: { open: () => session } }, inquiry, NEVER);
  return Object.fromEntries([...answers].map(([target, all]) => [target, all.map(({ status }) => status)]));
}

describe("a reader that is asked until its answers are settled", () => {
  it("keeps what is settled when its connection ends, and knows nothing of the rest", async () => {
    expect(await ask([{ east: PASS, west: FAIL }, "end"])).toEqual({ east: [200], west: [] });
  });

  it("fails where the connection ends before any answer is settled", async () => {
    await expect(ask(["end"])).rejects.toThrow("the connection ended");
    await expect(ask([{ east: FAIL, west: FAIL }, "end"])).rejects.toThrow("the connection ended");
  });
});
