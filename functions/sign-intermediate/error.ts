import { NotReadyError, RefusedError, RootError } from "../../shared/errors.ts";
import { type Answer, errorAnswer, errorBody, refusal } from "../http/answer.ts";

/**
 * One status for each class of error, so that the caller can make the same class: 400 its input is wrong, 403
 * the signer was refused something, or two members have one ID, 404 the cluster is no member yet, 422 the
 * root cannot sign, 503 or 500 for an error that may pass. shared/adapters/signer-errors.ts reads them.
 */
export function signErrorAnswer(error: unknown): Answer {
  if (error instanceof RefusedError) return refusal(403, errorBody(error));
  if (error instanceof NotReadyError) return refusal(404, errorBody(error));
  if (error instanceof RootError) return refusal(422, errorBody(error));
  return errorAnswer(error);
}
