import type { Account, Check } from "../core/answers/check.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { InputError } from "../errors.ts";
import type { Ports, RotatorPorts } from "../ports/ports.ts";
import { ownDeadline } from "./deadline.ts";
import { checkRoot, checkRootChanges } from "./google.ts";
import { functionsGrants } from "./grants.ts";
import { checkMembership } from "./lost.ts";
import { checkMembers } from "./members.ts";
import { checkOperations } from "./operations.ts";
import { checkSources } from "./sources.ts";

interface Examination<P> {
  readonly ports: P;
  readonly spec: MeshSpec;
  readonly signal: AbortSignal;
}

export interface MemberExamination<P = MemberPorts> extends Examination<P> {
  readonly signerUrl: string | undefined;
  /** A cluster ID, if the question is about that member alone. */
  readonly member: string | undefined;
}

type SignerPorts = Pick<Ports, "authority" | "clock" | "roots" | "sources">;
type MemberPorts = SignerPorts & Pick<Ports, "fleet" | "operations">;

/**
 * The reconciler under its own account: the clusters that it can list, whether it can read the root, and its
 * permissions on each member. Fails with InputError if every source was listed in full and none has the
 * `member`.
 */
export async function examineReconciler(examination: MemberExamination): Promise<readonly Check[]> {
  return await examineWithMembers("reconciler", examination);
}

/** The rotator: the same, and its permissions to change the root secret. It makes no deep run. */
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

/** The signer: the clusters that it takes for members, and the root that it signs with. */
export async function examineSigner({
  ports,
  spec,
  signal: callersSignal,
}: Examination<SignerPorts>): Promise<readonly Check[]> {
  const grants = functionsGrants("signer");
  const signal = ownDeadline(callersSignal);
  const [root, { checks }] = await Promise.all([
    checkRoot(ports, { spec, signerUrl: undefined, grants, signal }),
    checkSources(ports, spec, grants, signal),
  ]);
  return [root, ...checks];
}

async function examineWithMembers(
  account: Exclude<Account, "caller" | "signer">,
  { ports, spec, signerUrl, member, signal: callersSignal }: MemberExamination,
): Promise<readonly Check[]> {
  const signal = ownDeadline(callersSignal);
  const grants = functionsGrants(account);
  const isReconciler = account === "reconciler";
  const looksForLost = isReconciler && member === undefined;
  const [root, sources] = await Promise.all([
    checkRoot(ports, { spec, signerUrl, grants, signal }),
    (looksForLost ? checkMembership : checkSources)(ports, spec, grants, signal),
  ]);
  const members = sources.members.filter(({ ref }) => member === undefined || clusterId(ref) === member);
  if (members.length === 0 && member !== undefined && sources.isComplete) {
    throw notAMember(member);
  }
  const asksGke = isReconciler && spec.drainAfter !== undefined;
  return [
    root,
    ...sources.checks,
    ...(asksGke ? await checkOperations(ports, members, grants, signal) : []),
    ...(await checkMembers(ports, members, {
      spec,
      grants,
      deep: isReconciler,
      facts: isReconciler,
      signal,
    })),
  ];
}

function notAMember(member: string): InputError {
  return new InputError(`member is ${member}, which is no member`, {
    code: "NotAMember",
    cure: "give the cluster ID of a member",
    field: "member",
  });
}
