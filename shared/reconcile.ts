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
  const fresh = wrote ? await listMembers(run, listing) : listing;
  const pairs = await reconcilePairs(run, {
    clusters: fresh.clusters,
    results: members,
    roots,
    collisions: fresh.collisions,
  });

  const findings = distinct([...listing.findings, ...fresh.findings, ...pairs.findings]);
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
    retry: outcomes.includes("waiting") || run.signal.aborted,
    errors: [...members.flatMap(({ error }) => error ?? []), ...pairs.errors],
  };
}

function summarise(
  { clusterId: id, outcome, findings }: MemberResult,
  late: Late | undefined,
): MemberSummary {
  if (late === undefined) return { clusterId: id, outcome, findings };
  return {
    clusterId: id,
    outcome: worst([outcome, late.outcome]),
    findings: [...findings, ...late.findings],
  };
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
  /** How many were asked. */
  readonly projects: number;
}

/**
 * One broken project must not keep the others from being looked at; it is named, and its members are left alone. What does
 * not answer now is as it was in the listing `before`.
 */
async function listMembers({ ports, spec, signal }: Run, before?: Listing): Promise<Listing> {
  const failed = new Map<string, MeshjoinError>();
  const findings: Finding[] = [];
  const known = (project: string, locations?: readonly string[]) =>
    (before?.clusters ?? []).filter(
      ({ ref }) => ref.project === project && (locations?.includes(ref.location) ?? true),
    );
  const perProject = await Promise.all(
    spec.projects.map(async (project) => {
      try {
        const { clusters, missingLocations } = await ports.directory.list(project, signal);
        if (missingLocations.length === 0) return clusters;
        findings.push(incomplete(project, `no answer from ${missingLocations.join(", ")}`));
        return [...clusters, ...known(project, missingLocations)];
      } catch (error) {
        if (!(error instanceof MeshjoinError)) throw error;
        failed.set(project, error);
        findings.push(incomplete(project, error.message));
        return known(project);
      }
    }),
  );
  const clusters = perProject
    .flat()
    .filter((cluster) => nonMemberReason(cluster, spec) === undefined)
    .toSorted((a, b) => (clusterId(a.ref) < clusterId(b.ref) ? -1 : 1));
  const projects = spec.projects.length;
  return { clusters, collisions: collisionsOf(clusters), findings, failed, projects };
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

/** A cluster ID does not say where the project in it ends, so one silent project leaves it open whether the cluster exists. */
function chooseSubjects(
  { clusters, failed, projects }: Listing,
  { scope }: ReconcileRequest,
): readonly Cluster[] {
  if (scope === "mesh") return clusters;
  const subjects = clusters.filter(({ ref }) => clusterId(ref) === scope.clusterId);
  if (subjects.length > 0) return subjects;
  const errors = [...failed.values()];
  const [error] = errors;
  if (error !== undefined && errors.length === projects) throw error;
  const silent = errors.map(({ message }) => ` (${message})`).join("");
  throw new NotReadyError(
    `cluster ${scope.clusterId} is not in the list of members yet${silent}; the event is delivered again`,
    { code: "NotListed", cause: error, fields: { clusterId: scope.clusterId } },
  );
}
