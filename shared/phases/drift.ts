import pLimit from "p-limit";
import { applyControlPlane } from "../apply/control-plane.ts";
import { assertNotForeign } from "../apply/owned.ts";
import { settleAll } from "../async/settle-all.ts";
import { worst } from "../core/answers/outcome.ts";
import { isReachable, type Member, type ReachableMember } from "../core/member/observation.ts";
import { controlPlane, isDefinition, onceThere } from "../istio/control-plane.ts";
import { listedKinds, type RenderedKind } from "../istio/needed-permissions.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { MemberApi } from "../ports/member-api.ts";
import { type MemberFault, merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { type Course, currentMembers, type Phase } from "./course.ts";
import { eachOf } from "./each-of.ts";
import { leftOver, type Pruned, prune } from "./left-over.ts";
import { whyRestartWaits } from "./restart.ts";
import { type Repaired, repairObject } from "./take-back.ts";

/** Requests of one member at the same time. */
const OBJECTS_AT_ONCE = 8;

/** Takes back, once, each field that another manager changed on members of the present manifest. */
export const drift: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  const ours = currentMembers(course)
    .filter(isReachable)
    .filter((member) => isOurs(run, member));
  return merge(...(await Promise.all(ours.map((member) => repairDrift(run, course, member)))));
};

/** Whether its control plane is Meshjoin's, and of this release. */
function isOurs({ template }: Run, { state }: Member): boolean {
  if (!state.reachable || state.controlPlane === undefined) return false;
  const { owner, istioVersion } = state.controlPlane;
  return owner === "ours" && istioVersion === template.tag;
}

/** Of one member. */
async function repairDrift(run: Run, course: Course, member: ReachableMember): Promise<Partial<Report>> {
  const { clusterId } = member;
  return await settle(
    clusterId,
    "fields that other managers changed were taken back",
    () => run.inTurn(() => repairMember(run, course, member)),
    ({ outcome, finding: found, error }): Partial<Report> => ({
      members: [{ clusterId, outcome, findings: [] }],
      findings: [found],
      errors: [error],
    }),
  );
}

async function repairMember(run: Run, course: Course, member: ReachableMember): Promise<Partial<Report>> {
  const { ports, spec, template, signal } = run;
  const { meshId } = spec;
  const { clusterId: id } = member;
  const api = ports.fleet.member(member.cluster);
  const listing = await eachOf(listedKinds().filter(isNoDefinition), id, ownListed, (kind) =>
    ownOf(api, kind, meshId, signal),
  );
  const owned = listing.results.flat();
  const unseen = new Set(listing.failed.map(({ kind }) => kind));
  const desired = controlPlane(template, spec, member);
  const objects = desired.stages
    .flatMap((stage) => stage.objects.filter(isNoDefinition))
    .filter(({ kind }) => !unseen.has(kind))
    .map(onceThere);
  const present = new Map(owned.map((object) => [keyOf(object), object.metadata]));
  const missing = objects.filter((object) => !present.has(keyOf(object)));
  const isThere = (object: KubernetesObject) => present.has(keyOf(object)) || unseen.has(object.kind);
  const creation = await eachOf([missing], id, wereMade, async (absent) => {
    await settleAll(absent.map((object) => assertNotForeign(api, object, meshId, signal)));
    return await applyControlPlane(api, desired, meshId, signal, { isThere });
  });
  const limit = pLimit(OBJECTS_AT_ONCE);
  const whyNoRestart = () => whyRestartWaits(run, course, member);
  const existing = objects.filter((object) => present.has(keyOf(object)));
  const repairs = await eachOf(existing, id, wasRepaired, (object) =>
    limit(() =>
      repairObject({ api, id, signal, whyNoRestart }, object, present.get(keyOf(object)) ?? object.metadata),
    ),
  );
  const old = leftOver(owned, new Set(objects.map(keyOf)), keyOf);
  const pruned = await prune(api, member, old, signal);
  const faults = [...listing.faults, ...creation.faults, ...repairs.faults, ...pruned.faults];
  const repaired = repairs.results.flatMap((each) => each ?? []);
  const writes = sum(creation.results) + pruned.results.length;
  return reportOf(id, { repaired, pruned, faults, writes });
}

interface Work {
  readonly repaired: readonly Repaired[];
  readonly pruned: Pruned;
  readonly faults: readonly MemberFault[];
  /** Objects created or deleted. */
  readonly writes: number;
}

function reportOf(clusterId: string, { repaired, pruned, faults, writes }: Work): Partial<Report> {
  const changed = writes + repaired.length > 0;
  const outcomes = [...repaired, ...faults].map(({ outcome }) => outcome);
  const findings = [
    ...repaired.map((each) => each.found),
    ...pruned.findings,
    ...faults.map((fault) => fault.finding),
  ];
  return {
    members: [{ clusterId, outcome: worst([changed ? "updated" : "unchanged", ...outcomes]), findings: [] }],
    findings,
    errors: faults.map(({ error }) => error),
  };
}

const isNoDefinition = (object: RenderedKind) => !isDefinition(object);
const wereMade = () => "its missing objects were made anew";
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const ownListed = ({ kind }: RenderedKind) => `its objects of kind ${kind} were listed`;
const wasRepaired = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name} was repaired`;

/** Meshjoin's objects of a kind; metadata only. */
async function ownOf(
  api: MemberApi,
  kind: RenderedKind,
  meshId: string,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const query = { ...kind, labelSelector: `meshjoin.dev/mesh=${meshId}`, metadataOnly: true };
  const objects = await api.reader.list(query, signal);
  return objects.map(({ metadata }): KubernetesObject => ({ ...kind, metadata }));
}

function keyOf({ kind, metadata: { namespace = "", name } }: KubernetesObject): string {
  return `${kind} ${namespace}/${name}`;
}
