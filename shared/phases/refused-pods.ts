import { podsRefused } from "../core/cluster/autopilot.ts";
import type { Member } from "../core/member/observation.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { currentMembers, type Phase } from "./course.ts";

/**
 * The workloads whose pods with sidecars Autopilot refuses, by the events of their controllers. Only a deep
 * run asks, and only members that refuse NET_ADMIN: GKE tells that they do, an event adds the workload. A
 * ReplicaSet tries again within 17 minutes (its queue's longest delay, 1000 s) and an event lives for an
 * hour, so every refusal that lasts has one.
 */
export const refusedPods: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  const members = currentMembers(course).filter(({ cluster: c }) => c.autopilot && !c.allowNetAdmin);
  return merge(...(await Promise.all(members.map((member) => findRefusedPods(run, member)))));
};

/** Of one member. */
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

/** The controller whose pod was refused, if NET_ADMIN was the cause. */
function refusalOf(event: KubernetesObject): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Event; every field is optional
  const { message = "", involvedObject = {} } = event as CoreEvent;
  const { kind, namespace, name } = involvedObject;
  return message.includes("NET_ADMIN") && message.includes("autogke-")
    ? [`${kind} ${namespace}/${name}`]
    : [];
}
