import { describe, expect, it } from "@jest/globals";
import { newestOfAll, presenceOf } from "../../../shared/core/member/silence.ts";
import { aMember, anUnreachableMember, EMPTY } from "../../support/builders/member.ts";

const EARLY = new Date("2026-03-01T12:00:00Z");
const LATE = new Date("2026-03-01T12:10:00Z");

describe("a time that several members hold", () => {
  it.each([
    ["is the newest of all", [LATE, EARLY], LATE],
    ["is unknown while one holds none", [EARLY, undefined], undefined],
    ["is unknown where nobody could hold one", [], undefined],
  ])("%s", (_, times, expected) => {
    expect(newestOfAll(times)).toEqual(expected);
  });
});

describe("a member", () => {
  const unreachable = (code: "Cancelled" | "ApiServerError" | "Forbidden", retryable: boolean) => ({
    ...aMember(),
    state: { reachable: false as const, code, message: "", retryable },
  });

  it.each([
    ["answers, with its istiod", aMember(), { state: "answers" }],
    ["answers before it has an istiod", aMember(undefined, EMPTY), { state: "answers" }],
    [
      "is silent without a ready istiod",
      aMember(undefined, { pods: [] }),
      { state: "silent", part: "istiod" },
    ],
    ["is silent without its API server", anUnreachableMember(), { state: "silent", part: "apiServer" }],
    ["answers with a refusal", unreachable("Forbidden", false), { state: "answers" }],
    ["answers with a trouble of its own", unreachable("ApiServerError", true), { state: "answers" }],
    ["is not known where the look was cut short", unreachable("Cancelled", true), { state: "unknown" }],
  ])("%s", (_, member, expected) => {
    expect(presenceOf(member)).toEqual(expected);
  });
});
