import { within } from "../async/within.ts";
import { isReachable } from "../core/member/observation.ts";
import { type Gate, gateOf, type PublishedRoots } from "../core/roots/gate.ts";
import { publishedRoots } from "../istio/root-config-map.ts";
import { settle } from "../report.ts";
import type { Run } from "../run.ts";
import type { Mesh } from "./mesh.ts";

/** The gate of the stage that `mesh` is in: one more request for every member that answers. */
export async function lookAtGate(run: Run, mesh: Mesh, memberTimeoutMs?: number): Promise<Gate> {
  const { ports, spec, signal } = run;
  const published = await Promise.all(
    mesh.members.filter(isReachable).map(({ cluster, clusterId }) =>
      run.inTurn(async (): Promise<readonly [string, readonly PublishedRoots[]]> => {
        const read = () => publishedRoots(ports.fleet.member(cluster), within(signal, memberTimeoutMs));
        return [clusterId, await settle(clusterId, "its published roots were read", read, () => [])];
      }),
    ),
  );
  return gateOf({
    roots: mesh.roots,
    spec,
    members: mesh.members,
    unlisted: mesh.listing.findings.map(({ message }) => message),
    published: new Map(published),
    now: ports.clock.now(),
  });
}
