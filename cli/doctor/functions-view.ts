import { type Check, fault, parseDiagnosis, unknown } from "../../shared/core/answers/check.ts";
import { MeshjoinError } from "../../shared/errors.ts";
import type { Host } from "../host.ts";

/** Longer than the function's own deadline. */
const TIMEOUT_MS = 60_000;
const SUBJECT = { name: "sync-mesh", account: "caller" } as const;

/** The checks of the function's `GET /doctor`; one check of the caller's if it does not answer with any. */
export async function functionsView(host: Host, url: URL): Promise<readonly Check[]> {
  try {
    const token = await host.identityToken(url.origin);
    const answer = await fetch(new URL("/doctor", url), {
      headers: { authorization: `Bearer ${token}` },
      // The token is for this address alone.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status === 401 || answer.status === 403) {
      const cure = "grant your account roles/run.invoker on the function sync-mesh";
      return [fault(SUBJECT, `${url.host} does not admit the caller (${answer.status})`, cure)];
    }
    const diagnosis = answer.ok ? parseDiagnosis(await answer.json()) : undefined;
    return (
      diagnosis?.checks ?? [unknown(SUBJECT, `${url.host} answers ${answer.status}, without checks`, LOOK)]
    );
  } catch (error) {
    if (error instanceof MeshjoinError) return [fault(SUBJECT, error.message, error.cure)];
    return [unknown(SUBJECT, `${url.host} gives no answer`, LOOK)];
  }
}

const LOOK = "see the log of sync-mesh, check that --url is its address, then ask again";
