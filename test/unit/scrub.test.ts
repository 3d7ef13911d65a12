import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { scrub } from "../../shared/scrub.ts";

const PEM = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
const BODY = PEM.split("\n")[1] ?? "";
const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";

const KUBECONFIG = `apiVersion: v1
kind: Config
clusters:
- name: canary
  cluster: {server: "https://10.0.0.2", certificate-authority-data: Y2E=}
users:
- name: canary
  user:
    token: canary-opaque
`;
const base64 = (text: string) => Buffer.from(text).toString("base64");
const AROUND = "a Z 0 9 _ - . \n \t \\ / + = \" ' \u0001 é".split(" ").concat(" ");
const SECRET_IN_BASE64 = base64(JSON.stringify({ data: { east: base64(KUBECONFIG) } }));
/** As the tool of that name breaks it. */
const wrapped = (text: string) => base64(text).replaceAll(/.{76}/g, "$&\n");

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
    ["a JWT behind a letter", `refused x${JWT}`, "bGciOi"],
    ["a JWT behind a digit", `refused 7${JWT}`, "bGciOi"],
    ["a JWT behind an underscore", `token_${JWT}`, "bGciOi"],
    ["a JWT behind a line break inside JSON", JSON.stringify(`refused\n${JWT}`), "bGciOi"],
    ["a scheme behind a line break inside JSON", JSON.stringify("a\nBearer canary-opaque"), "canary"],
    ["a kubeconfig in base64", `secret ${base64(KUBECONFIG)} is`, base64(KUBECONFIG).slice(-40)],
    ["a kubeconfig in base64 behind a letter", `x${base64(KUBECONFIG)}`, base64(KUBECONFIG).slice(-40)],
    [
      "a kubeconfig in base64 with line breaks",
      JSON.stringify(`is\n${wrapped(KUBECONFIG)}\n`),
      base64(KUBECONFIG).slice(80, 120),
    ],
    ["a kubeconfig in a Secret in base64", SECRET_IN_BASE64, SECRET_IN_BASE64.slice(80, 120)],
    ["a kubeconfig as JSON in base64", base64('{"users":[{"user":{"token":"?>?>canary"}}]}'), "jYW5hcn"],
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

  it.each([
    ["words", "ab ".repeat(83_000)],
    ["one word", "a".repeat(250_000)],
    ["white space", " ".repeat(250_000)],
    ["white space behind a scheme", `bearer${" ".repeat(250_000)}"`],
    ["schemes", "bearer ".repeat(36_000)],
    ["beginnings of JWTs", "eyJ".repeat(83_000)],
    ["beginnings of JWTs with their dots", "eyJabcdef.".repeat(25_000)],
    ["beginnings of PEM blocks", "-----BEGIN ".repeat(23_000)],
    ["heads of PEM blocks", "-----BEGIN X-----".repeat(15_000)],
    ["ends of PEM blocks", `-----BEGIN X-----${"-----END ".repeat(27_000)}`],
    ["backslashes", "\\".repeat(250_000)],
    ["line breaks in base64", `${"A".repeat(30)}${"\\n".repeat(125_000)}`],
    ["lines of base64", `${"QUFB".repeat(19)}\n`.repeat(3_300)],
    ["base64 in base64 in base64", base64(base64(base64("A".repeat(105_000))))],
  ])("has an end in a line of 250 KB: %s", (_, line) => {
    // In quadratic time the whole suite would not end.
    expect(scrub(line)).not.toBe("");
  });

  it("lets nothing through, whatever stands right before and after, in plain text as inside JSON", () => {
    const word = fc.string({ unit: fc.constantFrom(...AROUND) });
    const secret = fc.constantFrom(
      { text: JWT, canary: "eyJzdWI" },
      { text: base64(KUBECONFIG), canary: base64(KUBECONFIG).slice(40, 90) },
      { text: base64(PEM), canary: base64(PEM).slice(50, 90) },
      { text: `Bearer ${base64("canary")}`, canary: base64("canary") },
      { text: PEM, canary: BODY },
    );
    fc.assert(
      fc.property(word, secret, word, (before, { text, canary }, after) => {
        const inside = scrub(JSON.stringify({ message: before + text + after, next: after }));
        expect(inside).not.toContain(canary);
        expect(JSON.parse(inside)).toMatchObject({ next: after });
        expect(scrub(before + text + after)).not.toContain(canary);
      }),
      { numRuns: 1000 },
    );
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
