import type { SandboxFleet } from "../../fleet/fleet.ts";
import { type Answer, OK } from "../../traffic/request.ts";
import { type Sender, startSender } from "../../traffic/sender.ts";
import { SLOW_PATH } from "../../traffic/server.ts";
import { PER_SECOND, type Spread, startSpread } from "../../traffic/spread.ts";
import { createTally, type StepCounts, type Tally } from "../../traffic/tally.ts";
import type { AskThroughIngress } from "./ingress.ts";

/** Its servers are in each member; in each but the first, which has the client; in the first alone. */
export type ServiceName = "everywhere" | "elsewhere" | "alone";

/** Istio's own defaults, written down: such a rule replaces the mesh's, and ejects nothing. */
const WITHOUT_FAILOVER = { loadBalancer: { simple: "LEAST_REQUEST" } };
/** What many guides give: an application's own errors count. */
const COUNTS_ERRORS = {
  outlierDetection: {
    consecutive5xxErrors: 5,
    interval: "1s",
    baseEjectionTime: "30s",
    maxEjectionPercent: 100,
  },
};
const SLOW_EACH = 4;

/** Beside each Service there is a twin of the same servers, with a DestinationRule of its own. */
export async function spreadWithTwins(fleet: SandboxFleet): Promise<Spread> {
  const [first = "", ...others] = fleet.meshMembers().map(({ name }) => name);
  return await startSpread(fleet, [
    { name: "everywhere" },
    { name: twinOf("everywhere"), ownPolicy: WITHOUT_FAILOVER },
    { name: "elsewhere", members: others },
    { name: twinOf("elsewhere"), members: others, ownPolicy: WITHOUT_FAILOVER },
    { name: "alone", members: [first] },
    { name: twinOf("alone"), members: [first], ownPolicy: COUNTS_ERRORS },
  ]);
}

export function twinOf(service: ServiceName): string {
  return `${service}-own-rule`;
}

/** Requests to one Service, and at the same time to its twin. */
export interface Load {
  /** Of both, since the start or the step before. */
  endStep(name: string): { readonly mesh: StepCounts; readonly own: StepCounts };
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** From outside, by the ingresses of all members in turn, and not by the client's sidecar. */
  readonly isOfUsers?: boolean;
  /** Each fourth request takes two seconds. */
  readonly isAlsoSlow?: boolean;
  /** All but those of status 200 unless given. */
  readonly isFailure?: (answer: Pick<Answer, "status">) => boolean;
}

/** How a Service is asked. */
export interface Ways {
  readonly spread: Spread;
  readonly askThroughIngress: AskThroughIngress;
}

export function startLoad(
  { spread, askThroughIngress }: Ways,
  service: ServiceName,
  options: LoadOptions = {},
): Load {
  const startAt = (name: string) =>
    startRequests(
      (path) => (options.isOfUsers === true ? askThroughIngress(name) : spread.request(name, path)),
      options,
    );
  const [mesh, own] = [startAt(service), startAt(twinOf(service))];
  return {
    endStep: (name) => ({ mesh: mesh.tally.endStep(name), own: own.tally.endStep(name) }),
    async stop() {
      await Promise.all([mesh.sender.stop(), own.sender.stop()]);
    },
  };
}

function startRequests(
  request: (path: string) => Promise<Answer>,
  { isAlsoSlow = false, isFailure = ({ status }) => status !== OK }: LoadOptions,
): { readonly tally: Tally; readonly sender: Sender } {
  const tally = createTally();
  let sent = 0;
  const send = async (): Promise<Answer> => {
    sent += 1;
    const answer = await request(isAlsoSlow && sent % SLOW_EACH === 0 ? SLOW_PATH : "/");
    return isFailure(answer) ? answer : { ...answer, status: OK };
  };
  return {
    tally,
    sender: startSender({ send, perSecond: PER_SECOND, onResult: (result) => tally.add(result) }),
  };
}
