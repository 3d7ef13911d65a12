import { type LocalServer, listen, readBody } from "../../../sandbox/google/http/server.ts";
import { type Entry, matches } from "../../support/logging/query.ts";

/**
 * Of `entries:list`, what gcloud sends;
 * https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
 */
interface ListRequest {
  readonly filter?: string;
  readonly orderBy?: string;
  readonly pageSize?: number;
}

/**
 * Cloud Logging as far as `gcloud logging read` asks it, over what `entries` answers at that time; one page,
 * newest first.
 */
export async function startCloudLogging(entries: () => Promise<readonly Entry[]>): Promise<LocalServer> {
  return await listen(async (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const {
      filter = "",
      orderBy,
      pageSize = 50,
    }: ListRequest = JSON.parse((await readBody(request)).toString());
    if (!request.url?.startsWith("/v2/entries:list") || orderBy !== "timestamp desc") {
      answer(501, { error: { code: 501, message: `${request.url}, ${orderBy}: not served here` } });
      return;
    }
    try {
      const found = (await entries()).filter((entry) => matches(filter, entry));
      answer(200, { entries: found.toSorted(newestFirst).slice(0, pageSize) });
    } catch (error) {
      answer(400, { error: { code: 400, message: String(error), status: "INVALID_ARGUMENT" } });
    }
  });
}

function newestFirst(a: Entry, b: Entry): number {
  return String(a["timestamp"]) < String(b["timestamp"]) ? 1 : -1;
}
