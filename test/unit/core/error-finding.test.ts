import { describe, expect, it } from "@jest/globals";
import { faultFinding } from "../../../shared/core/answers/error-finding.ts";
import { outOfReach } from "../../../shared/core/member/reach.ts";
import { RefusedError, UnavailableError } from "../../../shared/errors.ts";
import { aMember } from "../../support/builders/member.ts";

const NO_CURE = new UnavailableError("no answer", { code: "Unavailable" });

describe("the finding of an error", () => {
  it.each([
    [new RefusedError("no", { code: "Rejected", cure: "mend the webhook" }), "mend the webhook"],
    [new UnavailableError("no", { code: "Unauthorized", cure: "check IAM" }), "check IAM"],
    [NO_CURE, "nothing: Meshjoin tries again"],
  ])("has the cure of %s", (error, cure) => {
    expect(faultFinding(error, "cn-a")).toMatchObject({ message: error.message, cure });
  });

  it.each([
    ["its own", { code: "Forbidden", cure: "grant it" }, "grant it"],
    [
      "the general one, where it has none",
      { code: "Forbidden" },
      expect.stringContaining("grant the service"),
    ],
  ] as const)("says why nothing is known of a member, with %s", (_, said, cure) => {
    const state = { reachable: false, message: "no", retryable: false, ...said } as const;
    expect(outOfReach({ ...aMember(), state })).toMatchObject({ reason: "ApiServerRefused", cure });
  });
});
