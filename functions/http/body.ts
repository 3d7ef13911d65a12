import { InputError } from "../../shared/errors.ts";

export const JSON_TYPE = "application/json";

/** Fails with InputError, which says what to send. */
export function checkContentType(contentType: string | undefined, wanted: string): void {
  if (contentType?.split(";")[0]?.trim().toLowerCase() === wanted) return;
  throw new InputError(`the body is not said to be ${wanted}`, {
    code: "UnsupportedMediaType",
    cure: `send content-type: ${wanted}`,
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
