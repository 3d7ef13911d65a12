import * as z from "zod/mini";
import { checkContentType, JSON_TYPE, parseJson } from "../http/body.ts";
import { clusterIdSchema, parse } from "../input/parse.ts";

/** The body of `POST /sign`. */
export const SIGN_BODY = z.strictObject({
  clusterId: clusterIdSchema,
  csr: z.string("send a PKCS#10 request in PEM").check(z.minLength(1, "send a PKCS#10 request in PEM")),
});

export type SignRequest = z.infer<typeof SIGN_BODY>;

/** Fails with InputError, which names the first field at fault. */
export function parseSign(body: Buffer, contentType: string | undefined): SignRequest {
  checkContentType(contentType, JSON_TYPE);
  return parse(SIGN_BODY, parseJson(body));
}
