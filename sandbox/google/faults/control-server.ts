import type { IncomingMessage, ServerResponse } from "node:http";
import type { PodFirewall } from "../compute/pod-firewall.ts";
import type { RequestLedger } from "../http/ledger.ts";
import { type LocalServer, listen, readBody, requestUrl } from "../http/server.ts";
import { type Fault, type FaultBoard, isBoardTarget, parseFault } from "./faults.ts";

/** The proxy before a member's API server. */
export interface MemberFaults {
  /** False if there is no such member. */
  set(clusterId: string, fault: Fault): boolean;
  clearAll(): void;
}

export interface ControlOptions {
  readonly faults: FaultBoard;
  readonly members: MemberFaults;
  /** Undefined where the firewall is not enforced, so that a fault of it would do nothing. */
  readonly firewall?: Pick<PodFirewall, "knows">;
  readonly ledger: RequestLedger;
  /** Requests of an account to the API servers of all members. */
  readonly clusterRequests: (email: string, sinceMs: number) => Promise<number>;
}

/**
 * Where tests and curious people break things: `POST /faults`, `DELETE /faults`, `GET /faults`, and
 * `GET /requests[?email=…][&sinceMs=…]` for who called what.
 */
export function startControlServer(options: ControlOptions): Promise<LocalServer> {
  return listen(async (request, response) => {
    const url = requestUrl(request);
    const route = `${request.method} ${url.pathname.replace(/\/$/, "")}`;
    switch (route) {
      case "POST /faults":
        await postFault(options, request, response);
        return;
      case "DELETE /faults":
        options.faults.clear();
        options.members.clearAll();
        response.writeHead(204).end();
        return;
      case "GET /faults":
        answer(response, 200, { faults: options.faults.list() });
        return;
      case "GET /requests":
        answer(response, 200, await countRequests(options, url.searchParams));
        return;
      default:
        answer(response, 404, {
          message: `${route} is not served; use POST, GET or DELETE /faults, or GET /requests`,
        });
    }
  });
}

async function postFault(
  options: ControlOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const fault = parseFault(JSON.parse((await readBody(request)).toString("utf8")));
    if (fault.target === "firewall") checkPlaces(options, fault);
    if (isBoardTarget(fault.target)) options.faults.add(fault);
    else if (!options.members.set(fault.target, fault)) {
      answer(response, 404, {
        message: `no member has the cluster ID ${fault.target}; see fleet.json for those that run`,
      });
      return;
    }
    answer(response, 201, fault);
  } catch (error) {
    answer(response, 400, {
      message: error instanceof Error ? error.message : "this is not a fault; see docs/sandbox.md",
    });
  }
}

function checkPlaces({ firewall }: ControlOptions, { from = "", to = "" }: Fault): void {
  if (firewall === undefined) {
    throw new Error(
      "nothing asks the firewall here; start the sandbox with --traffic, on a machine that has every address 127.a.b.c",
    );
  }
  const unknown = [from, to].find((name) => !firewall.knows(name));
  if (unknown !== undefined) {
    throw new Error(
      `${unknown} is no cluster ID and no network of a cluster; see fleet.json for the members`,
    );
  }
}

async function countRequests(
  { ledger, clusterRequests }: ControlOptions,
  query: URLSearchParams,
): Promise<object> {
  const since = Number(query.get("sinceMs") ?? 0);
  const email = query.get("email");
  const emails = email === null ? ledger.emails() : [email];
  const counts = emails.map(async (name) => {
    const kubernetes = await clusterRequests(name, since);
    return [name, { ...ledger.requests(name, since), kubernetes }] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
