import { MeshjoinError } from "../../shared/errors.ts";

/** What may pass is asked again; the rest, and what nobody foresaw, is for an operator. */
export function levelOf(error: unknown): "warn" | "error" {
  return error instanceof MeshjoinError && error.retryable ? "warn" : "error";
}
