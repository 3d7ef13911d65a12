import pLimit from "p-limit";
import { applyMissing } from "../apply/control-plane.ts";
import { assertNotForeign } from "../apply/owned.ts";
import type { Run } from "../apply.ts";
import { settleAll } from "../async/settle-all.ts";
import type { Cluster } from "../core/cluster.ts";
import { faultFinding } from "../core/error-finding.ts";
import { type Finding, finding } from "../core/finding.ts";
import { annotation, clusterId, networkName } from "../core/names.ts";
import { type Outcome, outcomeOfFailure } from "../core/outcome.ts";
import { MeshjoinError } from "../errors.ts";
import { controlPlane, withoutFailurePolicy } from "../istio/control-plane.ts";
import { newlyOwned } from "../istio/drift.ts";
import { manifestValues } from "../istio/template.ts";
import type { KubernetesObject, MemberApi, ObjectMeta } from "../ports.ts";
import { MEMBER_CONCURRENCY } from "./own-halves.ts";

export interface DeepResult {
  /** By cluster ID, of members that were repaired, or could not be. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly findings: readonly Finding[];
  readonly errors: readonly MeshjoinError[];
}

/** Requests of one member at the same time. */
const OBJECTS_AT_ONCE = 8;

/**
 * From whom a field of the object was taken back the last time. Meeting the same manager again means that it will not
 * stop, and that taking turns helps nobody (design rule 5).
 */
const TAKEN_BACK_FROM = annotation("taken-back-from");

/** Every field of Istio's own objects, on members whose manifest is the present one: what others changed is taken back, once. */
export async function repairDrift(run: Run, members: readonly Cluster[]): Promise<DeepResult> {
  const limit = pLimit(MEMBER_CONCURRENCY);
  const results = await Promise.all(
    members.map((cluster) =>
      limit(async () => [clusterId(cluster.ref), await repairMember(run, cluster)] as const),
    ),
  );
  return {
    outcomes: new Map(results.map(([id, { outcome }]) => [id, outcome])),
    findings: results.flatMap(([, { findings }]) => findings),
    errors: results.flatMap(([, { error }]) => error ?? []),
  };
}

interface Repaired {
  readonly outcome: Outcome;
  readonly findings: readonly Finding[];
  readonly error?: MeshjoinError;
}

async function repairMember({ ports, spec, template, signal }: Run, cluster: Cluster): Promise<Repaired> {
  const { meshId } = spec;
  const id = clusterId(cluster.ref);
  const api = ports.fleet.member(cluster);
  const network = networkName(cluster.network);
  const desired = controlPlane(template, manifestValues(template, spec, { clusterId: id, network }));
  try {
    const objects = [
      ...desired.others,
      ...desired.mutatingWebhooks,
      ...desired.validatingWebhooks.map(withoutFailurePolicy),
      desired.deployment,
    ];
    const present = await presentOf(api, objects, meshId, signal);
    const missing = objects.filter((object) => !present.has(keyOf(object)));
    await settleAll(missing.map((object) => assertNotForeign(api, object, meshId, signal)));
    const created = await applyMissing(api, desired, (object) => present.has(keyOf(object)), meshId, signal);
    const limit = pLimit(OBJECTS_AT_ONCE);
    const looks = objects.flatMap((object) => {
      const now = present.get(keyOf(object));
      return now === undefined ? [] : [limit(() => repairObject({ api, id, signal }, object, now))];
    });
    const findings = (await Promise.all(looks)).flatMap((each) => each ?? []);
    const failed = findings.some(({ severity }) => severity === "error");
    const changed = created > 0 || findings.length > 0;
    return { outcome: failed ? "failed" : changed ? "updated" : "unchanged", findings };
  } catch (error) {
    if (!(error instanceof MeshjoinError)) throw error;
    return {
      outcome: outcomeOfFailure(error),
      findings: [faultFinding(error, id)],
      error,
    };
  }
}

/** The metadata of our objects that are there: a list for each kind, and no data. */
async function presentOf(
  api: MemberApi,
  objects: readonly KubernetesObject[],
  meshId: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ObjectMeta>> {
  const kinds = new Map(
    objects.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const lists = await Promise.all(
    [...kinds.values()].map((kind) =>
      api.reader.list({ ...kind, labelSelector: `meshjoin.dev/mesh=${meshId}`, metadataOnly: true }, signal),
    ),
  );
  return new Map(lists.flat().map((object) => [keyOf(object), object.metadata]));
}

function keyOf({ kind, metadata: { namespace = "", name } }: KubernetesObject): string {
  return `${kind} ${namespace}/${name}`;
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
): Promise<Finding | undefined> {
  const before = now.annotations?.[TAKEN_BACK_FROM];
  const dry = await api.writer.apply(marked(object, before), { force: true, dryRun: true, signal });
  const from = newlyOwned(now, dry.metadata).join(", ");
  if (from === "") {
    if (before !== undefined) await api.writer.apply(object, { force: true, signal });
    return undefined;
  }
  const what = `${object.kind} ${object.metadata.name}`;
  if (from === before) {
    return finding(
      "FieldConflict",
      `${what} was changed by ${from} again, after it was taken back; it is left as it is`,
      "have that manager leave the object alone, or set what it wants in shared/istio/values.yaml",
      id,
    );
  }
  await api.writer.apply(marked(object, from), { force: true, signal });
  return finding("ControlPlaneEdited", `${what} was changed by ${from}`, "nothing: it was taken back", id);
}

function marked(object: KubernetesObject, from: string | undefined): KubernetesObject {
  if (from === undefined) return object;
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [TAKEN_BACK_FROM]: from } },
  };
}
