import { createFaultBoard } from "../../../../sandbox/google/faults/faults.ts";
import { createRequestLedger } from "../../../../sandbox/google/http/ledger.ts";
import { createIdentityTokens } from "../../../../sandbox/google/identity/identity-tokens.ts";
import { createTokenRegistry } from "../../../../sandbox/google/identity/tokens.ts";

export const PROJECT = { id: "shop", number: "4711" } as const;
export const CALLER = "someone@shop.iam.gserviceaccount.com";

/** What every stand-in shares, fresh for a test. */
export function aGround() {
  return {
    tokens: createTokenRegistry(),
    identityTokens: createIdentityTokens(),
    faults: createFaultBoard(),
    ledger: createRequestLedger(),
    projects: [PROJECT],
  };
}
