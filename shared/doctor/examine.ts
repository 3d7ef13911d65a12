import type { Account, Check } from "../core/check.ts";
import type { Cluster } from "../core/cluster.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { InputError } from "../errors.ts";
import type { Ports, RotatorPorts } from "../ports.ts";
import { ownDeadline } from "./deadline.ts";
import { checkProject, checkRoot, checkRootChanges, type Project } from "./google.ts";
import { functionsGrants, type Grants } from "./grants.ts";
import { checkMembers } from "./members.ts";

interface Examination<P> {
  readonly ports: P;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

export interface MemberExamination<P = MemberPorts> extends Examination<P> {
  readonly signerUrl: string | undefined;
  /** A cluster ID, where only that one is asked for. */
  readonly member: string | undefined;
}

type SignerPorts = Pick<Ports, "authority" | "clock" | "directory" | "roots">;
type MemberPorts = SignerPorts & Pick<Ports, "fleet">;

/**
 * The reconciler under its own account: what it can list, whether the root can be read, and what each member allows it. Fails
 * with InputError where `member` is a member of none of the projects that were listed in full.
 */
export async function examineReconciler(examination: MemberExamination): Promise<readonly Check[]> {
  return await examineWithMembers("reconciler", examination);
}

/** The rotator: the same, and what a rotation does to the root secret. It makes no deep run. */
export async function examineRotator(
  examination: MemberExamination<MemberPorts & Pick<RotatorPorts, "keeper">>,
): Promise<readonly Check[]> {
  const { ports, spec, signal } = examination;
  const [changes, others] = await Promise.all([
    checkRootChanges(ports.keeper, spec, functionsGrants("rotator"), ownDeadline(signal)),
    examineWithMembers("rotator", examination),
  ]);
  return [changes, ...others];
}

/** The signer: whom it takes for a member, and the root that it signs with. */
export async function examineSigner({
  ports,
  spec,
  signal,
}: Examination<SignerPorts>): Promise<readonly Check[]> {
  const grants = functionsGrants("signer");
  const { root, projects } = await lookAtGoogle(ports, spec, grants, undefined, ownDeadline(signal));
  return [root, ...projects.map(({ check }) => check)];
}

async function examineWithMembers(
  account: Exclude<Account, "caller" | "signer">,
  { ports, spec, signerUrl, member, signal: given }: MemberExamination,
): Promise<readonly Check[]> {
  const signal = ownDeadline(given);
  const grants = functionsGrants(account);
  const { root, projects } = await lookAtGoogle(ports, spec, grants, signerUrl, signal);
  const all = projects.flatMap(({ members }) => members);
  const members: Cluster[] = all.filter(({ ref }) => member === undefined || clusterId(ref) === member);
  const listings = projects.map(({ check }) => check);
  if (members.length === 0 && member !== undefined && listings.every(({ state }) => state === "ok")) {
    throw notAMember(member);
  }
  const isReconciler = account === "reconciler";
  return [
    root,
    ...listings,
    ...(await checkMembers(ports, members, {
      spec,
      grants,
      deep: isReconciler,
      facts: isReconciler,
      signal,
    })),
  ];
}

async function lookAtGoogle(
  ports: SignerPorts,
  spec: MeshSpec,
  grants: Grants,
  signerUrl: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly root: Check; readonly projects: readonly Project[] }> {
  const [root, ...projects] = await Promise.all([
    checkRoot(ports, { spec, signerUrl, grants, signal }),
    ...spec.projects.map((project) => checkProject(ports, spec, project, grants, signal)),
  ]);
  return { root, projects };
}

function notAMember(member: string): InputError {
  return new InputError(`member is ${member}, which is no member`, {
    code: "NotAMember",
    cure: "give the cluster ID of a member",
    field: "member",
  });
}
