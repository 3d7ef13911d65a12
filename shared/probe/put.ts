import { setTimeout as sleep } from "node:timers/promises";
import { applyOwned, createOwned } from "../apply/owned.ts";
import { withRights } from "../apply/rights.ts";
import { PROBE_MARK, PROBE_NAMESPACE } from "../core/probe/wire.ts";
import { UnavailableError } from "../errors.ts";
import { markObject, probeMarks, probeSettingsHash } from "../istio/probe/mark.ts";
import type { ProbeSettings } from "../istio/probe/object.ts";
import {
  PROBE_DEPLOYMENTS,
  PROBE_NAMESPACE_REF,
  PROBE_PODS,
  probeNamespace,
  probeObjects,
} from "../istio/probe/objects.ts";
import { type DeploymentObject, isReady, isRolledOut, whyNotReady } from "../istio/workload.ts";
import { SECRETS } from "../look/member.ts";
import type { MemberApi } from "../ports/member-api.ts";

/** Who wants the probe, and until when. */
export interface Want {
  /** Names a check; undefined for the configuration. */
  readonly user: string | undefined;
  /** Undefined: without end. */
  readonly until: Date | undefined;
}

export type PutSettings = Omit<ProbeSettings, "until">;

export interface Limits {
  /** Aborts the wait for an earlier probe to be gone, and for pods that are not ready. */
  readonly ready: AbortSignal;
  readonly signal: AbortSignal;
}

/** Between two looks at a predecessor that is on its way out. */
const PAUSE_MS = 500;
/** An error while the namespace is there is no other check's doing. */
const ATTEMPTS = 3;

/** The pod that can be asked, or why there is none. `hasPod`: one is there and not ready. */
export type ReadyProbe = { readonly pod: string } | { readonly notReady: string; readonly hasPod: boolean };

/**
 * Writes a member's probe, and waits for its pod until the signal aborts. Whoever ends another check at the
 * same moment may take the probe away once more; then it is made again.
 */
export async function putProbe(
  api: MemberApi,
  settings: PutSettings,
  want: Want,
  { ready, signal }: Limits,
): Promise<ReadyProbe> {
  const { meshId } = settings;
  // Not as written before all is: a run that dies in between leaves a mark that says so.
  await createOwned(api, markObject(meshId, want), meshId, signal);
  if (want.user === undefined) await dropEnd(api, meshId, signal);
  const isThere = (all: readonly unknown[]) => all.length > 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- once, unless another takes it away
    await writeProbe(api, settings, { ready, signal });
    // oxlint-disable-next-line no-await-in-loop
    const deployments = await api.reader.until(
      PROBE_DEPLOYMENTS,
      (all) => !isThere(all) || all.every((each) => isRolledOut(each as DeploymentObject)),
      ready,
    );
    if (isThere(deployments) || ready.aborted) break;
  }
  if (want.user === undefined) {
    const written = { ...want, settings: probeSettingsHash(settings) };
    await applyOwned(api, markObject(meshId, written), meshId, signal);
  }
  return await readyProbe(api, signal);
}

/**
 * An apply without an end leaves one that a person wrote on the mark of the configuration. An apply with
 * another end takes the field over, and the next one drops it; at no moment is there no mark.
 */
async function dropEnd(api: MemberApi, meshId: string, signal: AbortSignal): Promise<void> {
  const marks = probeMarks(await api.reader.list(SECRETS, signal), meshId);
  const end = marks.find(({ name }) => name === PROBE_MARK)?.until;
  if (end === undefined) return;
  const other = new Date(end.getTime() + 1000);
  await applyOwned(api, markObject(meshId, { user: undefined, until: other }), meshId, signal);
  await applyOwned(api, markObject(meshId, { user: undefined, until: undefined }), meshId, signal);
}

/** The probe as it is. Where its namespace is gone, there is no pod. */
export async function readyProbe(api: MemberApi, signal: AbortSignal): Promise<ReadyProbe> {
  const pods = await api.reader.list(PROBE_PODS, signal);
  const pod = pods.find((each) => each.metadata.deletionTimestamp === undefined && isReady(each));
  if (pod !== undefined) return { pod: pod.metadata.name };
  return { notReady: whyNotReady(pods) ?? "it has no pod yet", hasPod: pods.length > 0 };
}

async function writeProbe(api: MemberApi, settings: PutSettings, { ready, signal }: Limits): Promise<void> {
  const { meshId } = settings;
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await untilNoneIsGoing(api, { ready, signal });
    try {
      // oxlint-disable-next-line no-await-in-loop
      await withRights(api, meshId, signal, async () => {
        const until = await wantedUntil(api, meshId, signal);
        await createOwned(api, probeNamespace({ meshId, until }), meshId, signal);
        for (const object of probeObjects({ ...settings, until })) {
          // oxlint-disable-next-line no-await-in-loop -- the Deployment last
          await applyOwned(api, object, meshId, signal);
        }
      });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      // oxlint-disable-next-line no-await-in-loop
      const namespace = await api.reader.get(PROBE_NAMESPACE_REF, signal);
      if (namespace !== undefined && namespace.metadata.deletionTimestamp === undefined) throw error;
    }
  }
}

/** The latest end of all wishes; undefined while one has none. */
async function wantedUntil(api: MemberApi, meshId: string, signal: AbortSignal): Promise<Date | undefined> {
  const untils = probeMarks(await api.reader.list(SECRETS, signal), meshId).map(({ until }) => until);
  const times = untils.flatMap((until) => until?.getTime() ?? []);
  return times.length < untils.length || times.length === 0 ? undefined : new Date(Math.max(...times));
}

async function isGoing(api: MemberApi, signal: AbortSignal): Promise<boolean> {
  const namespace = await api.reader.get(PROBE_NAMESPACE_REF, signal);
  return namespace?.metadata.deletionTimestamp !== undefined;
}

/** A finalizer, or an API service that does not answer, may hold a namespace for ever. */
async function untilNoneIsGoing(api: MemberApi, { ready, signal }: Limits): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- a look, and another one after a pause
  while (await isGoing(api, signal)) {
    // oxlint-disable-next-line no-await-in-loop
    await sleep(PAUSE_MS, undefined, { signal: ready }).catch((cause: unknown) => {
      throw new UnavailableError("an earlier probe is still being deleted", {
        code: "ApiServerUnreachable",
        cure: `wait for a minute and try again; if it stays, the conditions of namespace ${PROBE_NAMESPACE} say why`,
        cause,
      });
    });
  }
}
