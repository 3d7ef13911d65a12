import type { Run } from "./apply.ts";
import type { Cluster } from "./core/cluster.ts";
import type { Finding } from "./core/finding.ts";
import { clusterId, rootSecretName } from "./core/names.ts";
import { type Outcome, worst } from "./core/outcome.ts";
import type { ReconcileRequest } from "./core/request.ts";
import type { RootVersions } from "./core/root-state.ts";
import type { MeshSpec } from "./core/spec.ts";
import type { MemberSummary, Summary } from "./core/summary.ts";
import { type MeshjoinError, NotReadyError, RootError } from "./errors.ts";
import { type Listing, listClusters } from "./reconcile/listing.ts";
import { type MemberResult, reconcileMembers } from "./reconcile/members.ts";
import { type Late, reconcilePairs } from "./reconcile/pairs.ts";

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
  const [listing, roots] = await Promise.all([listClusters(run), readRoots(run)]);
  const subjects = chooseSubjects(listing, run.spec, request);
  const members = await reconcileMembers(run, { subjects, roots, collisions: listing.collisions });
  const wrote = members.some((result) => result.wrote);
  const fresh = wrote ? await listClusters(run, listing) : listing;
  const pairs = await reconcilePairs(run, {
    clusters: fresh.members,
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
  { members, failed }: Listing,
  { projects }: MeshSpec,
  { scope }: ReconcileRequest,
): readonly Cluster[] {
  if (scope === "mesh") return members;
  const subjects = members.filter(({ ref }) => clusterId(ref) === scope.clusterId);
  if (subjects.length > 0) return subjects;
  const errors = [...failed.values()];
  const [error] = errors;
  if (error !== undefined && errors.length === projects.length) throw error;
  const silent = errors.map(({ message }) => ` (${message})`).join("");
  throw new NotReadyError(
    `cluster ${scope.clusterId} is not in the list of members yet${silent}; the event is delivered again`,
    { code: "NotListed", cause: error, fields: { clusterId: scope.clusterId } },
  );
}
