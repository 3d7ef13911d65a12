import { type Check, unknown } from "../core/check.ts";

/**
 * Functions that do not answer the question: nothing calls the rotator over HTTP, and the signer answers with
 * certificates alone.
 */
export function notExamined(): readonly Check[] {
  return [
    unknown(
      { name: "account", account: "rotator" },
      "it takes no requests, so what it is allowed is not known here",
      "see the log of on-rotation-request: what it is refused is there with code PermissionDenied or ApiServerRefused",
    ),
    unknown(
      { name: "account", account: "signer" },
      "whether it may read the root is in the check of the root; whether it may list every project is not known here",
      "see the log of sign-intermediate: what it is refused is there with code PermissionDenied",
    ),
  ];
}
