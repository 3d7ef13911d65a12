import { within } from "../async/within.ts";
import { isReachable } from "../core/member/observation.ts";
import { type Gate, gateOf, type PublishedRoots } from "../core/roots/gate.ts";
import { publishedRoots } from "../istio/root-config-map.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Mesh } from "./mesh.ts";

/** What the stage that the look has seen waits for: one request more for every member that answers. */
export async function lookAtGate(run: Run, seen: Mesh, memberTimeoutMs?: number): Promise<Gate> {
  const { ports, spec, signal } = run;
  const published = await Promise.all(
    seen.members.filter(isReachable).map(({ cluster, clusterId }) =>
      run.inTurn(async (): Promise<readonly [string, readonly PublishedRoots[]]> => {
        const read = () => publishedRoots(ports.fleet.member(cluster), within(signal, memberTimeoutMs));
        return [clusterId, await settle(clusterId, "what its workloads trust was read", read, () => [])];
      }),
    ),
  );
  return gateOf({
    roots: seen.roots,
    spec,
    members: seen.members,
    unlisted: seen.listing.findings.map(({ message }) => message),
    published: new Map(published),
    now: ports.clock.now(),
  });
}
