import type { Fault } from "../core/answers/error-finding.ts";
import { kubectlOn } from "../core/cluster/gcloud.ts";
import type { Member } from "../core/member/observation.ts";
import { PROBE_APP, PROBE_NAMESPACE } from "../core/probe/wire.ts";
import type { Mesh } from "../look/mesh.ts";
import { probeTargets } from "../plan/probes.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import { endProbe } from "./end.ts";
import { type Limits, putProbe, readyProbe, type Want } from "./put.ts";

/** Why there is no probe to ask, and what a person may do. */
export type Why = Pick<Fault, "message"> & { readonly cure: string };

/**
 * A member's probe. `asleep`: its objects are written and no pod is ready, so it cannot be asked, and a
 * request to it tells so. `unseen`: its member does not answer, and its peers ask for it all the same.
 * `gone`: no pod is left of what was written. `none`: nothing of it was written, or
 * not all.
 */
export type Probed =
  | { readonly state: "ready"; readonly pod: string }
  | { readonly state: "asleep" | "unseen" | "gone" | "none"; readonly why: Why };

/** By cluster ID. */
export type Probes = ReadonlyMap<string, Probed>;

/**
 * Puts a probe into each of these members, side by side, and waits for their pods. Each probe has a route to
 * every member of the mesh, whoever wants it: checks of different pairs write the same objects.
 */
export async function putProbes(
  run: Run,
  { members }: Pick<Mesh, "members">,
  { among, want }: { readonly among: readonly Member[]; readonly want: Want },
  limits: Limits,
): Promise<Map<string, Probed>> {
  const targets = probeTargets(members);
  const put = async (member: Member): Promise<Probed> => {
    const { clusterId, cluster } = member;
    const why = whyNone(member);
    if (why !== undefined) return { state: "none", why };
    return await settle<Probed>(
      clusterId,
      "its probe was written",
      async () => {
        const settings = { meshId: run.spec.meshId, clusterId, targets, istio: run.template.tag };
        const made = await putProbe(run.ports.fleet.member(cluster), settings, want, limits);
        const isReady = "pod" in made;
        run.progress({ step: "probeReady", clusterId, outcome: isReady ? "created" : "waiting" });
        return isReady ? { state: "ready", ...made } : asleep(member, made.notReady);
      },
      ({ finding }) => ({ state: "none", why: whyOf(clusterId, finding) }),
    );
  };
  return new Map(await Promise.all(among.map(async (each) => [each.clusterId, await put(each)] as const)));
}

/** The probes of all members as they are; writes nothing. */
export async function seeProbes(
  run: Run,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<Map<string, Probed>> {
  const see = async (member: Member): Promise<Probed> => {
    const { clusterId, cluster } = member;
    const why = whyNone(member);
    if (why !== undefined) return { state: "none", why };
    return await settle<Probed>(
      clusterId,
      "its probe was looked at",
      async () => {
        const seen = await readyProbe(run.ports.fleet.member(cluster), signal);
        if ("pod" in seen) return { state: "ready", ...seen };
        const { why: because } = asleep(member, seen.notReady);
        return { state: seen.hasPod ? "asleep" : "gone", why: because };
      },
      ({ finding }) => ({ state: "none", why: whyOf(clusterId, finding) }),
    );
  };
  return new Map(
    await Promise.all(
      members.map(async (each) => [each.clusterId, await run.inTurn(() => see(each))] as const),
    ),
  );
}

/** Those of members that do not answer, as their peers ask for them. */
export function unseenProbes(members: readonly Member[], isAsked: (clusterId: string) => boolean): Probes {
  return new Map(
    members.flatMap((member): [string, Probed][] => {
      const why = member.state.reachable || !isAsked(member.clusterId) ? undefined : whyNone(member);
      return why === undefined ? [] : [[member.clusterId, { state: "unseen", why }]];
    }),
  );
}

/** Deletes what this check alone wanted. Answers why not, for each member where that failed. */
export async function endProbes(
  run: Run,
  { among, user }: { readonly among: readonly Member[]; readonly user: string },
  signal: AbortSignal,
): Promise<readonly Why[]> {
  const now = run.ports.clock.now();
  const { meshId } = run.spec;
  const end = async ({ clusterId, cluster }: Member) =>
    await settle<readonly Why[]>(
      clusterId,
      "its probe was deleted",
      async () => {
        const isGone = await endProbe(run.ports.fleet.member(cluster), { meshId, user, now }, signal);
        if (isGone) run.progress({ step: "removeProbe", clusterId, outcome: "deleted" });
        return [];
      },
      ({ finding }) => [whyOf(clusterId, finding)],
    );
  const written = among.filter((member) => whyNone(member) === undefined);
  return (await Promise.all(written.map(end))).flat();
}

export function whyOf(clusterId: string, { message, cure }: Why): Why {
  return { message: `${clusterId}: ${message}`, cure };
}

/** Of a member that Meshjoin writes no probe to. */
function whyNone({ clusterId, state }: Member): Why | undefined {
  if (!state.reachable)
    return whyOf(clusterId, { message: state.message, cure: state.cure ?? "meshjoin doctor" });
  const { controlPlane } = state;
  if (controlPlane !== undefined && controlPlane.owner !== "ours") {
    return {
      message: `${clusterId} has a control plane of another owner, and Meshjoin writes no probe there`,
      cure: "send requests between workloads of your own",
    };
  }
  if (controlPlane?.manifestHash !== undefined) return undefined;
  return { message: `Meshjoin has not installed istiod in ${clusterId} yet`, cure: "meshjoin sync" };
}

function asleep({ clusterId, cluster }: Member, notReady: string) {
  const why = {
    message: `the probe of ${clusterId} is not ready: ${notReady}`,
    cure: `${kubectlOn(cluster.ref)} -n ${PROBE_NAMESPACE} describe pods -l app=${PROBE_APP}`,
  };
  return { state: "asleep" as const, why };
}
