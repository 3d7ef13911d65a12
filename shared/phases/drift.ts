import pLimit from "p-limit";
import { applyControlPlane } from "../apply/control-plane.ts";
import { assertNotForeign } from "../apply/owned.ts";
import { settleAll } from "../async/settle-all.ts";
import { type Finding, finding } from "../core/finding.ts";
import { annotation } from "../core/names.ts";
import type { Member } from "../core/observation.ts";
import { type Outcome, worst } from "../core/outcome.ts";
import { controlPlane, isDefinition, onceThere } from "../istio/control-plane.ts";
import { newlyOwned } from "../istio/drift.ts";
import { listedKinds } from "../istio/needed-permissions.ts";
import { manifestValues } from "../istio/template.ts";
import type { KubernetesObject, MemberApi, ObjectMeta } from "../ports.ts";
import { merge, type Report, settle } from "../report.ts";
import type { Run } from "../run.ts";
import { currentMembers, type Phase } from "./course.ts";
import { leftOver, prune } from "./left-over.ts";

/** Requests of one member at the same time. */
const OBJECTS_AT_ONCE = 8;

/**
 * From whom a field of the object was taken back the last time. Meeting the same manager again means that it will not
 * stop, and that taking turns helps nobody (design rule 5).
 */
const TAKEN_BACK_FROM = annotation("taken-back-from");

/** Every field of Istio's own objects, on members whose manifest is the present one: what others changed is taken back, once. */
export const drift: Phase = async (run, course) => {
  if (course.request.deep !== true) return {};
  const ours = currentMembers(course).filter((member) => isOurs(run, member));
  return merge(...(await Promise.all(ours.map((member) => repairDrift(run, member)))));
};

/** Whether its control plane is of this release, and Meshjoin's. */
function isOurs({ template }: Run, { state }: Member): boolean {
  if (!state.reachable || state.controlPlane === undefined) return false;
  const { owner, istioVersion } = state.controlPlane;
  return owner === "ours" && istioVersion === template.tag;
}

/** One member's part of it. */
async function repairDrift(run: Run, member: Member): Promise<Partial<Report>> {
  const { clusterId } = member;
  return await settle(
    clusterId,
    "what others changed was taken back",
    () => run.inTurn(() => repairMember(run, member)),
    ({ outcome, finding: found, error }): Partial<Report> => ({
      members: [{ clusterId, outcome, findings: [] }],
      findings: [found],
      errors: [error],
    }),
  );
}

async function repairMember(
  { ports, spec, template, signal }: Run,
  member: Member,
): Promise<Partial<Report>> {
  const { meshId } = spec;
  const { clusterId: id } = member;
  const api = ports.fleet.member(member.cluster);
  const desired = controlPlane(template, manifestValues(template, spec, member));
  const objects = desired.stages
    .flatMap((stage) => stage.objects.filter((object) => !isDefinition(object)))
    .map(onceThere);
  const found = await ownObjects(api, meshId, signal);
  const present = new Map(found.map((object) => [keyOf(object), object.metadata]));
  const missing = objects.filter((object) => !present.has(keyOf(object)));
  await settleAll(missing.map((object) => assertNotForeign(api, object, meshId, signal)));
  const created = await applyControlPlane(api, desired, meshId, signal, (object) =>
    present.has(keyOf(object)),
  );
  const limit = pLimit(OBJECTS_AT_ONCE);
  const looks = objects.flatMap((object) => {
    const now = present.get(keyOf(object));
    return now === undefined ? [] : [limit(() => repairObject({ api, id, signal }, object, now))];
  });
  const repaired = (await Promise.all(looks)).flatMap((each) => each ?? []);
  const old = leftOver(found, new Set(objects.map(keyOf)), keyOf);
  const pruned = await prune(api, id, old, signal);
  const changed = created + repaired.length + pruned.deleted > 0;
  const outcome = worst([changed ? "updated" : "unchanged", ...repaired.map((each) => each.outcome)]);
  return {
    members: [{ clusterId: id, outcome, findings: [] }],
    findings: [...repaired.map((each) => each.found), ...pruned.findings],
  };
}

/** The metadata of our objects, but definitions, of every kind that any manifest may have: a list for each kind, and no data. */
async function ownObjects(
  api: MemberApi,
  meshId: string,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const lists = await Promise.all(
    listedKinds()
      .filter((kind) => !isDefinition(kind))
      .map(async (kind) => {
        const query = { ...kind, labelSelector: `meshjoin.dev/mesh=${meshId}`, metadataOnly: true };
        const found = await api.reader.list(query, signal);
        return found.map(({ metadata }): KubernetesObject => ({ ...kind, metadata }));
      }),
  );
  return lists.flat();
}

function keyOf({ kind, metadata: { namespace = "", name } }: KubernetesObject): string {
  return `${kind} ${namespace}/${name}`;
}

interface Repaired {
  readonly outcome: Outcome;
  readonly found: Finding;
}

interface Place {
  readonly api: MemberApi;
  readonly id: string;
  readonly signal: AbortSignal;
}

async function repairObject(
  { api, id, signal }: Place,
  object: KubernetesObject,
  now: ObjectMeta,
): Promise<Repaired | undefined> {
  const before = now.annotations?.[TAKEN_BACK_FROM];
  const dry = await api.writer.apply(marked(object, before), { force: true, dryRun: true, signal });
  const from = newlyOwned(now, dry.metadata).join(", ");
  if (from === "") {
    if (before !== undefined) await api.writer.apply(object, { force: true, signal });
    return undefined;
  }
  const what = `${object.kind} ${object.metadata.name}`;
  if (from === before) {
    const found = finding(
      "FieldConflict",
      `${what} was changed by ${from} again, after it was taken back; it is left as it is`,
      "have that manager leave the object alone, or set what it wants in shared/istio/values.yaml",
      id,
    );
    return { outcome: "failed", found };
  }
  await api.writer.apply(marked(object, from), { force: true, signal });
  const found = finding(
    "ControlPlaneEdited",
    `${what} was changed by ${from}`,
    "nothing: it was taken back",
    id,
  );
  return { outcome: "updated", found };
}

function marked(object: KubernetesObject, from: string | undefined): KubernetesObject {
  if (from === undefined) return object;
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [TAKEN_BACK_FROM]: from } },
  };
}
