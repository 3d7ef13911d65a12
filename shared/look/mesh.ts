import type { Cluster } from "../core/cluster.ts";
import { clusterId } from "../core/names.ts";
import type { Member } from "../core/observation.ts";
import type { Scope } from "../core/request.ts";
import { type Roots, rootsOf } from "../core/roots/stages.ts";
import { MeshjoinError } from "../errors.ts";
import type { Departure } from "../plan/departures.ts";
import type { Run } from "../run.ts";
import { lookAtDepartures } from "./departures.ts";
import { type Listing, listClusters } from "./listing.ts";
import { observeMembers } from "./members.ts";

/** Everything that was seen, by one look. */
export interface Look {
  readonly listing: Listing;
  /** Or why they are not known: then nothing may be issued. */
  readonly roots: Roots | MeshjoinError;
  /** Cluster IDs of the members that the look is about. */
  readonly subjects: ReadonlySet<string>;
  /** The subjects, and all other members unless `isPartial`; the unreachable and the unreadable ones too. */
  readonly members: readonly Member[];
  /** Members that are no subjects have not been looked at. */
  readonly isPartial: boolean;
  /** What is no member any more, though members hold credentials of it, with how sure that is. */
  readonly departures: readonly Departure[];
  /** Those of the departed that still run. */
  readonly leavers: readonly Member[];
}

/** A look from which a plan follows. */
export interface Mesh extends Look {
  readonly roots: Roots;
}

export interface LookOptions {
  /** Clusters that were read just now: a list may be a moment behind. */
  readonly known?: readonly Cluster[];
  /** How long one member may take; default as long as the run. */
  readonly memberTimeoutMs?: number;
}

/** The same, where the roots must be known. Throws what kept them from being read, too. */
export async function lookAtMesh(run: Run, scope: Scope, options: LookOptions = {}): Promise<Mesh> {
  const look = await lookAt(run, scope, options);
  const { roots } = look;
  if (roots instanceof MeshjoinError) throw roots;
  return { ...look, roots };
}

/**
 * The whole mesh, or of one cluster as much as a run about it begins with: itself if it is a member, and if it is none the members
 * that may hold something of it. Throws only if no project answers: then nothing can be said of any member.
 */
export async function lookAt(run: Run, scope: Scope, options: LookOptions = {}): Promise<Look> {
  const [listing, roots] = await Promise.all([listClusters(run, undefined, options.known), rootsNow(run)]);
  const [error] = listing.failed;
  // A cluster ID does not say where the project in it ends, so one that is not listed may be in any project that is silent.
  if (error !== undefined && listing.isBlind) throw error;
  const only = scope === "mesh" ? undefined : scope.clusterId;
  const subjects = listing.members.filter(({ ref }) => only === undefined || clusterId(ref) === only);
  const isPartial = only !== undefined && subjects.length > 0;
  const seen = isPartial ? subjects : listing.members;
  const depth = only === undefined || isPartial ? "subject" : "peer";
  const members = await observeMembers(run, seen, { depth, timeoutMs: options.memberTimeoutMs });
  const left = isPartial ? { departures: [], leavers: [] } : await lookAtDepartures(run, members);
  const ids = new Set(subjects.map(({ ref }) => clusterId(ref)));
  return { listing, roots, subjects: ids, members, isPartial, ...left };
}

async function rootsNow({ ports, signal }: Run): Promise<Roots | MeshjoinError> {
  try {
    return rootsOf(await ports.roots.state(signal));
  } catch (error) {
    if (error instanceof MeshjoinError) return error;
    throw error;
  }
}

/**
 * All members anew, as peers are seen, of a list that is new if clusters may have come since; what the first look says of the root
 * and of the subjects holds.
 */
export async function lookAgain(run: Run, mesh: Mesh, lists: boolean): Promise<Mesh> {
  const listing = lists ? await listClusters(run, mesh.listing) : mesh.listing;
  const members = await observeMembers(run, listing.members, { depth: "peer", before: mesh.members });
  return { ...mesh, listing, members, isPartial: false };
}
