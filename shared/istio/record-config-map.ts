import * as z from "zod/mini";
import { OUTCOMES } from "../core/answers/outcome.ts";
import { isReason, type Reason } from "../core/answers/reasons.ts";
import { EMPTY_RECORD, type MemberRecord } from "../core/member/record.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import type { ObjectRef } from "../ports/member-api.ts";
import { secretData } from "./member-state.ts";
import { ownerOf, ownershipLabels } from "./ownership.ts";

/** The ConfigMap in which a member's record stands. */
export const RECORD: ObjectRef = {
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: ISTIO_NAMESPACE,
  name: "meshjoin-record",
};
const KEY = "record.json";

const time = z.iso.datetime();
const outcome = z.enum(OUTCOMES);
/** Far above all that Meshjoin writes. A longer record is a person's, and is not shown. */
const shortText = z.string().check(z.maxLength(2000));
const MANY = 100;
const run = z.object({ at: time, outcome, version: shortText });
const note = z.object({ reason: shortText, message: shortText, cure: shortText, since: time });
const record = z.object({
  troubles: z.array(z.extend(note, { outcome: z.enum(["waiting", "failed"]) })).check(z.maxLength(MANY)),
  left: z
    .array(
      z.object({
        clusterId: shortText,
        since: time,
        trustedUntil: z.nullable(time),
        rootVersions: z.array(z.int()).check(z.maxLength(MANY)),
      }),
    )
    .check(z.maxLength(MANY)),
  lately: z.array(z.object({ at: time, what: shortText })).check(z.maxLength(MANY)),
  runs: z.object({ full: z.exactOptional(run), tick: z.exactOptional(run) }),
  root: z.exactOptional(note),
  silent: z.exactOptional(z.array(z.object({ clusterId: shortText, since: time })).check(z.maxLength(MANY))),
  unpaired: z.exactOptional(
    z
      .array(z.object({ clusterId: shortText, resource: shortText, lostSince: z.exactOptional(time) }))
      .check(z.maxLength(MANY)),
  ),
});

/** A record that is absent, foreign or unreadable counts as empty: losing one does no harm. */
export function readRecord(configMap: KubernetesObject | undefined, meshId: string): MemberRecord {
  if (configMap === undefined || ownerOf(configMap.metadata, meshId) !== "ours") return EMPTY_RECORD;
  const parsed = record.safeParse(jsonOf(secretData(configMap)[KEY]));
  if (!parsed.success) return EMPTY_RECORD;
  const { troubles, root, ...rest } = parsed.data;
  const fault = [root ?? []]
    .flat()
    .flatMap(knownReason)
    .find(({ reason }) => ROOT_REASONS.has(reason));
  return { ...rest, troubles: troubles.flatMap(knownReason), ...(fault && { root: fault }) };
}

/** A finding of the whole mesh comes of the note, so that a member's record may not name any other. */
const ROOT_REASONS: ReadonlySet<Reason> = new Set(["SigningRootUnknown", "SigningRootUnusable"]);

/** Another version of Meshjoin may have reasons that this one does not know. */
function knownReason<T extends { reason: string }>({ reason, ...rest }: T) {
  return isReason(reason) ? [{ ...rest, reason }] : [];
}

function jsonOf(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function recordConfigMap(text: string, meshId: string): KubernetesObject {
  const { apiVersion, kind, namespace = ISTIO_NAMESPACE, name } = RECORD;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels: ownershipLabels(meshId) },
    data: { [KEY]: text },
  };
}
