import pLimit from "p-limit";
import type { Run } from "../apply.ts";
import { within } from "../async/within.ts";
import { isReachable } from "../core/observation.ts";
import { type Gate, gateOf, type PublishedRoots } from "../core/roots/gate.ts";
import { MeshjoinError } from "../errors.ts";
import { publishedRoots } from "../istio/root-config-map.ts";
import type { Survey } from "./survey.ts";

/** Members whose ConfigMaps are read at the same time. */
const LOOKS_AT_ONCE = 16;

/** What the stage that the survey has seen waits for: one request more for every member that answers. */
export async function lookAtGate(run: Run, seen: Survey, memberTimeoutMs?: number): Promise<Gate> {
  const { ports, spec, signal } = run;
  const limit = pLimit(LOOKS_AT_ONCE);
  const published = await Promise.all(
    seen.members.filter(isReachable).map(({ cluster, clusterId }) =>
      limit(async (): Promise<readonly [string, readonly PublishedRoots[]]> => {
        try {
          return [
            clusterId,
            await publishedRoots(ports.fleet.member(cluster), within(signal, memberTimeoutMs)),
          ];
        } catch (error) {
          if (!(error instanceof MeshjoinError)) throw error;
          return [clusterId, []];
        }
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
