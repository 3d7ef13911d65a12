import { InputError } from "../../shared/errors.ts";

export const JSON_TYPE = "application/json";

/** Fails with InputError, whose cure is the right content type. */
export function checkContentType(contentType: string | undefined, expected: string): void {
  if (contentType?.split(";")[0]?.trim().toLowerCase() === expected) return;
  throw new InputError(`the content type of the body is not ${expected}`, {
    code: "UnsupportedMediaType",
    cure: `send content-type: ${expected}`,
    field: "content-type",
  });
}

/** Fails with InputError. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new InputError("the body is not JSON", {
      code: "InvalidInput",
      cure: "send an object",
      field: "body",
    });
  }
}
