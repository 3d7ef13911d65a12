import type { Finding } from "../core/answers/finding.ts";
import type { Cluster } from "../core/cluster/cluster.ts";
import { presentNetworks, withLastNetworks } from "../core/member/networks.ts";
import type { Member } from "../core/member/observation.ts";
import { withSilences } from "../core/member/remembered.ts";
import { clusterId } from "../core/names.ts";
import type { Scope } from "../core/request.ts";
import { type Roots, rootsOf } from "../core/roots/stages.ts";
import { MeshjoinError } from "../errors.ts";
import type { Run } from "../run.ts";
import { type Departures, lookAtDepartures } from "./departures.ts";
import { lookAtGateways } from "./gateways.ts";
import { lookAtIngress } from "./ingress.ts";
import { type Listing, listClusters } from "./listing.ts";
import { observeMembers } from "./members.ts";
import { lookAtSigningRoot } from "./signing-root.ts";
import { lookAtTrafficRules } from "./traffic-rules.ts";

/** The result of one look. */
export interface Look extends Departures {
  readonly listing: Listing;
  /** An error if they could not be read: then nothing may be issued. */
  readonly roots: Roots | MeshjoinError;
  /** Why the roots cannot be used; of a look at the whole mesh. */
  readonly unusableRoot?: Finding | undefined;
  /** Cluster IDs of the members that the look is about. */
  readonly subjects: ReadonlySet<string>;
  /** The subjects, and unless `isPartial` all other members, unreachable and unreadable ones included. */
  readonly members: readonly Member[];
  /** Only the subjects were read. */
  readonly isPartial: boolean;
}

/** A look from which a plan follows. */
export interface Mesh extends Look {
  readonly roots: Roots;
}

export interface LookOptions {
  /** Clusters that were read just now; a list may be older. */
  readonly known?: readonly Cluster[];
  /** Time limit of one member; default as long as the run. */
  readonly memberTimeoutMs?: number;
  /** IDs of clusters that a person takes out. */
  readonly leaving?: readonly string[];
  /** Looks for gateways that are left over, too. */
  readonly deep?: boolean;
}

/** `lookAt` for a plan, with the ingresses: it throws if the roots could not be read, too. */
export async function lookAtMesh(run: Run, scope: Scope, options: LookOptions = {}): Promise<Mesh> {
  const look = await lookAt(run, scope, options);
  const { roots } = look;
  if (roots instanceof MeshjoinError) throw roots;
  const members = await lookAtIngress(run, look.members, false);
  return { ...look, members, roots };
}

/**
 * Reads the whole mesh, or for a run about one cluster what that run begins with: the cluster itself if it is
 * a member, else the members that may hold credentials of it. Throws only if no source answers: then nothing
 * is known of any member.
 */
export async function lookAt(run: Run, scope: Scope, options: LookOptions = {}): Promise<Look> {
  const [listing, { roots, unusableRoot }] = await Promise.all([
    listClusters(run, undefined, options.known),
    rootsNow(run, scope),
  ]);
  const [error] = listing.failed;
  // A cluster ID does not delimit its project, so an unlisted cluster may be in any silent source.
  if (error !== undefined && listing.isBlind) throw error;
  const only = scope === "mesh" ? undefined : scope.clusterId;
  const subjects = listing.members.filter(({ ref }) => only === undefined || clusterId(ref) === only);
  const isPartial = only !== undefined && subjects.length > 0;
  const clusters = isPartial ? subjects : listing.members;
  const depth = only === undefined || isPartial ? "subject" : "peer";
  const observed = await observeMembers(run, clusters, { depth, timeoutMs: options.memberTimeoutMs });
  const seen = withSilences(withLastNetworks(observed), run.ports.clock.now());
  const ruled = only === undefined ? await lookAtTrafficRules(run, seen, options.memberTimeoutMs) : seen;
  const members = isPartial ? seen : await lookAtGateways(run, ruled, options.deep === true);
  const { leaving = [] } = options;
  const gone = isPartial
    ? { departures: [], leavers: [], unasked: [] }
    : await lookAtDepartures(run, {
        members,
        listed: listing.clusters,
        leaving,
        isOfMesh: only === undefined,
      });
  const isApart = new Set([...members, ...gone.leavers].flatMap(presentNetworks)).size > 1;
  const leavers = await lookAtGateways(run, gone.leavers, isApart);
  const ids = new Set(subjects.map(({ ref }) => clusterId(ref)));
  return { listing, roots, unusableRoot, subjects: ids, members, isPartial, ...gone, leavers };
}

async function rootsNow(run: Run, scope: Scope): Promise<Pick<Look, "roots" | "unusableRoot">> {
  try {
    const roots = rootsOf(await run.ports.roots.state(run.signal));
    return { roots, unusableRoot: scope === "mesh" ? await lookAtSigningRoot(run, roots) : undefined };
  } catch (error) {
    if (error instanceof MeshjoinError) return { roots: error };
    throw error;
  }
}

/**
 * Reads all members again, as peers. `lists`: list the clusters again first, because some may have come. The
 * roots and the subjects of the first look stay.
 */
export async function lookAgain(run: Run, mesh: Mesh, lists: boolean): Promise<Mesh> {
  const listing = lists ? await listClusters(run, mesh.listing) : mesh.listing;
  const observed = await observeMembers(run, listing.members, { depth: "peer", before: mesh.members });
  const seen = withSilences(withLastNetworks(observed, mesh.members), run.ports.clock.now());
  return { ...mesh, listing, members: await lookAtGateways(run, seen, false), isPartial: false };
}
