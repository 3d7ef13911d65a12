import type { Account, Check } from "../core/answers/check.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { InputError } from "../errors.ts";
import type { Ports, RotatorPorts } from "../ports/ports.ts";
import { ownDeadline } from "./deadline.ts";
import { checkRoot, checkRootChanges } from "./google.ts";
import { functionsGrants } from "./grants.ts";
import { checkMembers } from "./members.ts";
import { checkSources } from "./sources.ts";

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

type SignerPorts = Pick<Ports, "authority" | "clock" | "roots" | "sources">;
type MemberPorts = SignerPorts & Pick<Ports, "fleet">;

/**
 * The reconciler under its own account: what it can list, whether the root can be read, and what each member allows it. Fails
 * with InputError where `member` is a member of none of the sources that were listed in full.
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
  signal: given,
}: Examination<SignerPorts>): Promise<readonly Check[]> {
  const grants = functionsGrants("signer");
  const signal = ownDeadline(given);
  const [root, { checks }] = await Promise.all([
    checkRoot(ports, { spec, signerUrl: undefined, grants, signal }),
    checkSources(ports, spec, grants, signal),
  ]);
  return [root, ...checks];
}

async function examineWithMembers(
  account: Exclude<Account, "caller" | "signer">,
  { ports, spec, signerUrl, member, signal: given }: MemberExamination,
): Promise<readonly Check[]> {
  const signal = ownDeadline(given);
  const grants = functionsGrants(account);
  const [root, listed] = await Promise.all([
    checkRoot(ports, { spec, signerUrl, grants, signal }),
    checkSources(ports, spec, grants, signal),
  ]);
  const members = listed.members.filter(({ ref }) => member === undefined || clusterId(ref) === member);
  if (members.length === 0 && member !== undefined && listed.isComplete) {
    throw notAMember(member);
  }
  const isReconciler = account === "reconciler";
  return [
    root,
    ...listed.checks,
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
