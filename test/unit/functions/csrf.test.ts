import { describe, expect, it } from "@jest/globals";
import {
  csrfCookie,
  csrfTokenOf,
  isCsrfTokenRight,
  isSameOrigin,
  newCsrfToken,
  type OriginHeaders,
} from "../../../functions/sync-mesh/csrf.ts";

const TOKEN = newCsrfToken();
const COOKIE = csrfCookie(TOKEN).split(";")[0];

describe("a token against forged forms", () => {
  it("is found again in the browser's cookies, whatever else is there", () => {
    expect(csrfTokenOf(`a=b; ${COOKIE}; c=d`)).toBe(TOKEN);
    expect(csrfTokenOf("a=b")).toBeUndefined();
    expect(csrfTokenOf("meshjoin-csrf=short")).toBeUndefined();
    expect(csrfTokenOf(undefined)).toBeUndefined();
  });

  it("is kept from other sites and from scripts", () => {
    expect(csrfCookie(TOKEN)).toMatch(/; HttpOnly; SameSite=Strict$/);
  });

  it.each<[boolean, string, string | null, string | undefined]>([
    [true, "field and cookie agree", TOKEN, COOKIE],
    [false, "they differ", newCsrfToken(), COOKIE],
    [false, "there is no cookie", TOKEN, undefined],
    [false, "there is no field", null, COOKIE],
    [false, "the field is shorter", TOKEN.slice(1), COOKIE],
    [false, "both are empty", "", "meshjoin-csrf="],
  ])("is right (%s) when %s", (right, _, field, cookies) => {
    expect(isCsrfTokenRight(field, cookies)).toBe(right);
  });
});

describe("a form's origin", () => {
  it.each<[boolean, string, OriginHeaders]>([
    [
      true,
      "this site",
      { origin: "http://localhost:8080", host: "localhost:8080", secFetchSite: "same-origin" },
    ],
    [
      true,
      "this site, told by an older browser",
      { origin: "https://m.run.app", host: "m.run.app", secFetchSite: undefined },
    ],
    [
      false,
      "another site",
      { origin: "https://evil.example", host: "m.run.app", secFetchSite: "cross-site" },
    ],
    [
      false,
      "another port",
      { origin: "http://localhost:1", host: "localhost:8080", secFetchSite: "same-site" },
    ],
    [false, "nowhere", { origin: "null", host: "m.run.app", secFetchSite: undefined }],
    [false, "somebody who does not say", { origin: undefined, host: "m.run.app", secFetchSite: undefined }],
  ])("is its own (%s): %s", (own, _, headers) => {
    expect(isSameOrigin(headers)).toBe(own);
  });
});
