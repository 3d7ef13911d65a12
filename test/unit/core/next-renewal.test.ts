import { expect, it } from "@jest/globals";
import { intermediateDueAt, isIntermediateDue } from "../../../shared/core/member/intermediate-life.ts";
import { isTokenDue, tokenDueAt } from "../../../shared/core/member/token-life.ts";

const START = new Date("2026-03-01T12:00:00Z");
const after = (time: Date, milliseconds: number): Date => new Date(time.getTime() + milliseconds);
const HOUR_MS = 3_600_000;

it.each(["cn-a", "cn-b", "cn-c"])("what is due at a time is due then, and not a moment before: %s", (id) => {
  const token = { tokenIssuedAt: START, tokenExpiresAt: after(START, 168 * HOUR_MS) };
  const tokenDue = tokenDueAt(token, id, "cn-z") ?? START;
  expect([-1, 1].map((by) => isTokenDue(token, id, "cn-z", after(tokenDue, by)))).toEqual([false, true]);
  const life = { issuedAt: START, notAfter: after(START, 2160 * HOUR_MS) };
  const due = intermediateDueAt(life, id) ?? START;
  expect([-1, 0].map((by) => isIntermediateDue(life, id, after(due, by)))).toEqual([false, true]);
});

it("no time is known where the life is not", () => {
  expect(tokenDueAt({ tokenIssuedAt: undefined, tokenExpiresAt: START }, "a", "b")).toBeUndefined();
  expect(intermediateDueAt({ issuedAt: START, notAfter: undefined }, "a")).toBeUndefined();
});
