import type { DrainCopy, Member } from "./observation.ts";

/** One that cannot be read may be about this very cluster; one of an earlier cluster of the name is not. */
export function isAbout({ gkeId, note }: DrainCopy, { cluster }: Pick<Member, "cluster">): boolean {
  return gkeId === cluster.id || (note === undefined && gkeId === undefined);
}
