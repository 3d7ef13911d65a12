import { within } from "../async/within.ts";
import type { Finding } from "../core/answers/finding.ts";
import type { ReachableMember, WorkloadPods } from "../core/member/observation.ts";
import { outdatedAmong, type ProxyVersion, proxiesOutdated } from "../core/member/outdated-proxies.ts";
import type { Run } from "../run.ts";
import { byWorkload } from "./by-workload.ts";

/** Of the namespaces with outdated proxies, so many are listed for the names of their workloads. */
const NAMESPACES_MAX = 10;
const ASKING_MS = 30_000;
/** A proxy says itself where it is. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * The proxies of a member that are behind its istiod, by the word of its istiods, which know of each
 * connected proxy which release it is. One request for each istiod pod; and where some are behind, a list of
 * metadata in each of a few namespaces. Undefined where none is behind, or no istiod is ready. Fails where
 * one could not be asked.
 */
export async function outdatedProxies(run: Run, member: ReachableMember): Promise<Finding | undefined> {
  const { cluster, state } = member;
  const { istioVersion = "" } = state.controlPlane ?? {};
  const api = run.ports.fleet.member(cluster);
  const signal = within(run.signal, ASKING_MS);
  const answers = await Promise.all(
    state.pods.map(async (pod) => {
      const session = api.istiod.open(pod);
      try {
        return await session.connectedProxies(signal);
      } finally {
        session.close();
      }
    }),
  );
  const behind = outdatedAmong(answers.flat(), istioVersion, run.ports.clock.now());
  const wanted = [...behind.outdated, ...behind.withoutRoots];
  return proxiesOutdated(member, istioVersion, behind, await workloadsOf(run, member, wanted, signal));
}

async function workloadsOf(
  run: Run,
  { cluster }: ReachableMember,
  proxies: readonly ProxyVersion[],
  signal: AbortSignal,
): Promise<WorkloadPods[]> {
  const { reader } = run.ports.fleet.member(cluster);
  const located = proxies.filter(({ namespace }) => NAMESPACE.test(namespace));
  const byNamespace = Map.groupBy(located, ({ namespace }) => namespace);
  const largest = [...byNamespace]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .slice(0, NAMESPACES_MAX);
  const pods = await Promise.all(
    largest.map(async ([namespace, own]) => {
      const names = new Set(own.map(({ pod }) => pod));
      const listed = await reader.list(
        { apiVersion: "v1", kind: "Pod", namespace, metadataOnly: true },
        signal,
      );
      return listed.filter(({ metadata }) => names.has(metadata.name));
    }),
  );
  return byWorkload(pods.flat());
}
