import { podsRefused } from "../core/cluster/autopilot.ts";
import type { Member } from "../core/member/observation.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { currentMembers, type Phase } from "./course.ts";

/**
 * Which workloads Autopilot keeps from having sidecars, by the events of their controllers. A deep run alone asks, and only those
 * members that refuse NET_ADMIN: that they do is known from GKE, and an event only adds whom it concerns. A ReplicaSet tries
 * again within 17 minutes (its queue's longest delay, 1000 s), and an event lives for an hour, so that whatever is refused now has one.
 */
export const refusedPods: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  const asked = currentMembers(course).filter(({ cluster }) => cluster.autopilot && !cluster.allowNetAdmin);
  return merge(...(await Promise.all(asked.map((member) => findRefusedPods(run, member)))));
};

/** One member's part of it. */
export async function findRefusedPods(
  run: Run,
  { cluster, clusterId }: Pick<Member, "cluster" | "clusterId">,
): Promise<Partial<Report>> {
  const ask = async (): Promise<Partial<Report>> => {
    const { reader } = run.ports.fleet.member(cluster);
    const query = { apiVersion: "v1", kind: "Event", fieldSelector: "reason=FailedCreate" };
    const refused = (await reader.list(query, run.signal)).flatMap(refusalOf);
    return { findings: [podsRefused(cluster, refused) ?? []].flat() };
  };
  return await settle(
    clusterId,
    "its events were read",
    () => run.inTurn(ask),
    ({ outcome, finding, error }): Partial<Report> => ({
      members: [{ clusterId, outcome, findings: [] }],
      findings: [finding],
      errors: [error],
    }),
  );
}

interface CoreEvent {
  readonly message?: string;
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

/** Who was refused, if it was for NET_ADMIN. */
function refusalOf(event: KubernetesObject): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Event; every field is optional
  const { message = "", involvedObject = {} } = event as CoreEvent;
  const { kind, namespace, name } = involvedObject;
  return message.includes("NET_ADMIN") && message.includes("autogke-")
    ? [`${kind} ${namespace}/${name}`]
    : [];
}
