import { type Run } from "./apply.ts";
import type { Cluster } from "./core/cluster.ts";
import { type Finding, finding } from "./core/finding.ts";
import { nonMemberReason } from "./core/membership.ts";
import { clusterId, rootSecretName } from "./core/names.ts";
import { type Outcome, worst } from "./core/outcome.ts";
import type { ReconcileRequest } from "./core/request.ts";
import type { RootVersions } from "./core/root-state.ts";
import type { MemberSummary, Summary } from "./core/summary.ts";
import { MeshjoinError, NotReadyError, RootError } from "./errors.ts";
import { type MemberResult, reconcileMembers } from "./reconcile-members.ts";
import { type Late, reconcilePairs } from "./reconcile-pairs.ts";

/** A summary, and what a trigger has to know to answer: whether to come again, and what to log. */
export interface Reconciled {
  readonly summary: Summary;
  /** Work is left that the same request can finish later. Unreachable peers are no reason; they have the full run. */
  readonly retry: boolean;
  /** Everything that went wrong on the way; logged once, at the edge. */
  readonly errors: readonly MeshjoinError[];
}

/**
 * Observe, plan and apply in two rounds (design rule 2): the subjects' own halves, then the pairs that they take part
 * in. The only place that joins the three. Throws only when nothing can be said of any member: the root state cannot
 * be read, or a subject's project does not answer.
 */
export async function reconcile(run: Run, request: ReconcileRequest): Promise<Reconciled> {
  const [listing, roots] = await Promise.all([listMembers(run), readRoots(run)]);
  const subjects = chooseSubjects(listing, request);
  const members = await reconcileMembers(run, { subjects, roots, collisions: listing.collisions });
  const wrote = members.some((result) => result.wrote);
  const fresh = wrote ? await listMembers(run) : listing;
  const pairs = await reconcilePairs(run, {
    clusters: fresh.clusters,
    results: members,
    roots,
    collisions: fresh.collisions,
  });

  const findings = distinct([...listing.findings, ...pairs.findings]);
  const memberSummaries = members.map((result) => summarise(result, pairs.late.get(result.clusterId)));
  const outcomes: Outcome[] = [
    ...memberSummaries.map(({ outcome }) => outcome),
    ...pairs.pairs.flatMap(({ outcome, counts }) => (counts ? [outcome] : [])),
  ];
  return {
    summary: {
      outcome: worst(outcomes),
      members: memberSummaries,
      pairs: pairs.pairs.map(({ reader, target, outcome }) => ({ reader, target, outcome })),
      findings,
    },
    retry: outcomes.includes("waiting"),
    errors: [...members.flatMap(({ error }) => error ?? []), ...pairs.errors],
  };
}

function summarise(
  { clusterId: id, outcome, findings }: MemberResult,
  late: Late | undefined,
): MemberSummary {
  if (late === undefined) return { clusterId: id, outcome, findings };
  return { clusterId: id, outcome: worst([outcome, late.outcome]), findings: [...findings, late.finding] };
}

/** What holds up a peer is found once for each direction of its pair, and said once. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}

export interface Listing {
  /** Members only, by cluster ID. */
  readonly clusters: readonly Cluster[];
  readonly collisions: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  readonly failed: ReadonlyMap<string, MeshjoinError>;
}

/** One broken project must not keep the others from being looked at; it is named, and its members are left alone. */
async function listMembers({ ports, spec, signal }: Run): Promise<Listing> {
  const failed = new Map<string, MeshjoinError>();
  const findings: Finding[] = [];
  const perProject = await Promise.all(
    spec.projects.map(async (project) => {
      try {
        const { clusters, missingLocations } = await ports.directory.list(project, signal);
        if (missingLocations.length > 0)
          findings.push(incomplete(project, `no answer from ${missingLocations.join(", ")}`));
        return clusters;
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        failed.set(project, error);
        findings.push(incomplete(project, error.message));
        return [];
      }
    }),
  );
  const clusters = perProject
    .flat()
    .filter((cluster) => nonMemberReason(cluster, spec) === undefined)
    .toSorted((a, b) => (clusterId(a.ref) < clusterId(b.ref) ? -1 : 1));
  return { clusters, collisions: collisionsOf(clusters), findings, failed };
}

function incomplete(project: string, why: string): Finding {
  return finding(
    "ListingIncomplete",
    `not all clusters of project ${project} are known: ${why}`,
    "check the GKE API and Meshjoin's permissions in the project; nothing is removed on this account",
  );
}

function collisionsOf(clusters: readonly Cluster[]): Set<string> {
  const ids = clusters.map(({ ref }) => clusterId(ref));
  return new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
}

async function readRoots({ ports, spec, signal }: Run): Promise<RootVersions> {
  const { versions } = await ports.roots.state(signal);
  if (versions.signing === undefined) {
    const secret = rootSecretName(spec.meshId);
    // All of them, because gcloud takes away the aliases that it is not told.
    const aliases = Object.entries(versions).map(([role, version]) => `,${role}=${version}`);
    throw new RootError(
      `no version of secret ${secret} has the alias "signing", so nothing is issued; set it: gcloud secrets update ${secret} --update-version-aliases=signing=VERSION${aliases.join("")}`,
      { code: "NoSigningRoot" },
    );
  }
  return versions;
}

function chooseSubjects({ clusters, failed }: Listing, { scope }: ReconcileRequest): readonly Cluster[] {
  if (scope === "mesh") return clusters;
  const subjects = clusters.filter(({ ref }) => clusterId(ref) === scope.clusterId);
  if (subjects.length > 0) return subjects;
  const [error] = failed.values();
  throw (
    error ??
    new NotReadyError(
      `cluster ${scope.clusterId} is not in the list of members yet; the event is delivered again`,
      {
        code: "NotListed",
        fields: { clusterId: scope.clusterId },
      },
    )
  );
}
