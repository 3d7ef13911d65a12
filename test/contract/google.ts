import { createFaultBoard, type FaultBoard } from "../../sandbox/google/faults/faults.ts";
import { createRequestLedger, type RequestLedger } from "../../sandbox/google/http/ledger.ts";
import { createIdentityTokens } from "../../sandbox/google/identity/identity-tokens.ts";
import { startMetadataServer } from "../../sandbox/google/identity/metadata.ts";
import { createTokenRegistry } from "../../sandbox/google/identity/tokens.ts";

export const PROJECT = { id: "shop", number: "4711" } as const;
export const CALLER = "reconciler@shop.iam.gserviceaccount.com";

/** The real clients take their credentials as they do in production: from a metadata server. */
export async function startGoogle() {
  const tokens = createTokenRegistry();
  const faults: FaultBoard = createFaultBoard();
  const ledger: RequestLedger = createRequestLedger();
  const identityTokens = createIdentityTokens();
  const metadata = await startMetadataServer({
    project: PROJECT.id,
    projectNumber: PROJECT.number,
    email: CALLER,
    tokens,
    identityTokens,
    ledger,
  });
  process.env["GCE_METADATA_HOST"] = metadata.host;
  // Otherwise the clients ask an installed gcloud for it, every time.
  process.env["GOOGLE_CLOUD_PROJECT"] = PROJECT.id;
  process.env["METADATA_SERVER_DETECTION"] = "assume-present";
  return { tokens, identityTokens, faults, ledger, projects: [PROJECT], close: () => metadata.close() };
}

export type Google = Awaited<ReturnType<typeof startGoogle>>;

/** What an operator does with gcloud, as an account that the adapter does not use. */
export async function operate(
  google: Google,
  method: string,
  url: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${google.tokens.issue("operator@example.com")}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${await response.text()}`);
  const answer: Record<string, unknown> = JSON.parse(await response.text());
  return answer;
}
