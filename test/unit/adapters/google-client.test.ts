import { describe, expect, it } from "@jest/globals";
import { callOptions, clientOptions, fromGoogleError } from "../../../shared/adapters/google-client.ts";
import { inWords } from "../../../shared/errors.ts";

const call = {
  attempt: "list the clusters of project shop",
  permission: "container.clusters.list",
  resource: "project shop",
  fields: { project: "shop" },
};

function googleError(code: number | string | undefined, message = "It broke.", reason?: string): Error {
  return Object.assign(new Error(message), {
    code,
    reason,
    config: { headers: { authorization: "Bearer ya29.x" } },
  });
}

describe("fromGoogleError", () => {
  it.each([
    [1, "UnavailableError", "Cancelled"],
    [2, "UnavailableError", "Unknown"],
    [3, "InputError", "InvalidArgument"],
    [4, "UnavailableError", "DeadlineExceeded"],
    [5, "RefusedError", "NotFound"],
    [7, "RefusedError", "PermissionDenied"],
    [8, "UnavailableError", "ResourceExhausted"],
    [9, "RefusedError", "FailedPrecondition"],
    [10, "UnavailableError", "Aborted"],
    [12, "RefusedError", "Unimplemented"],
    [13, "UnavailableError", "Internal"],
    [14, "UnavailableError", "Unavailable"],
    [16, "RefusedError", "Unauthenticated"],
    [undefined, "UnavailableError", "Unavailable"],
    ["ENOTFOUND", "UnavailableError", "Unavailable"],
  ])("makes %p a %s with code %s", (status, name, code) => {
    const error = fromGoogleError(googleError(status), call);
    expect(error).toMatchObject({
      name,
      code,
      fields: { project: "shop" },
      retryable: name === "UnavailableError",
    });
    expect(error.message).toMatch(/^could not list the clusters of project shop: .*[^.]$/);
    expect(error.cure !== undefined).toBe(!error.retryable);
  });

  it.each([
    [
      7,
      "denied",
      undefined,
      "permission container.clusters.list is missing on project shop\ncure: grant a role that has container.clusters.list",
    ],
    [
      7,
      "off",
      "SERVICE_DISABLED",
      "the API is not enabled in that project\ncure: run gcloud services enable for it",
    ],
    [undefined, "Could not load the default credentials.", undefined, "run as a service account"],
  ])("names the cure of %p (%s)", (status, message, reason, cure) => {
    const error = fromGoogleError(googleError(status, message, reason), call);
    expect(error.name).toBe("RefusedError");
    expect(inWords(error)).toContain(cure);
  });

  it("tells an API that is not enabled from a permission that is missing", () => {
    expect(fromGoogleError(googleError(7, "off", "SERVICE_DISABLED"), call).code).toBe("ServiceDisabled");
  });

  it("says once what a client that has given up says of every try", () => {
    const said = "Total timeout exceeded retrying error Error: refused before any response was received. ";
    const error = googleError(
      4,
      `${said}: Previous errors : [{message: refused, code: 14},{message: refused}]`,
    );
    expect(fromGoogleError(error, call).message).toBe(
      "could not list the clusters of project shop: Total timeout exceeded retrying error Error: refused before any response was received",
    );
  });

  it("leaves the request behind", () => {
    const { cause } = fromGoogleError(googleError(7), call);
    expect(cause).toMatchObject({ message: "It broke" });
    expect(cause).not.toHaveProperty("config");
  });
});

describe("callOptions", () => {
  it("ends well before a function does, however often it is tried", () => {
    const { timeout, retry } = callOptions(undefined);
    expect(timeout).toBe(20_000);
    expect(retry.retryCodes).toEqual([14, 4]);
    expect(retry.backoffSettings.totalTimeoutMillis).toBe(60_000);
  });

  it("are new for every call, as the clients write into them", () => {
    expect(callOptions(undefined).retry).not.toBe(callOptions(undefined).retry);
  });
});

describe("clientOptions", () => {
  it.each([
    [undefined, { fallback: true }],
    ["http://127.0.0.1:8080", { fallback: true, protocol: "http", apiEndpoint: "127.0.0.1", port: 8080 }],
    ["https://gke.example", { fallback: true, protocol: "https", apiEndpoint: "gke.example", port: 443 }],
    [
      new URL("http://gke.example/"),
      { fallback: true, protocol: "http", apiEndpoint: "gke.example", port: 80 },
    ],
  ])("of %p", (endpoint, expected) => {
    expect(clientOptions(endpoint)).toEqual(expected);
  });
});
