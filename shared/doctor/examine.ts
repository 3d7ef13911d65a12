import type { Check } from "../core/check.ts";
import { clusterId } from "../core/names.ts";
import type { MeshSpec } from "../core/spec.ts";
import { InputError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import { checkProject, checkRoot } from "./google.ts";
import { functionsGrants } from "./grants.ts";
import { checkMembers } from "./members.ts";

/** Below the 60 s after which most HTTP clients give up; what was not looked at by then is unknown. */
const DEADLINE_MS = 45_000;

export interface Examination {
  readonly ports: Pick<Ports, "authority" | "clock" | "directory" | "fleet" | "roots">;
  readonly spec: MeshSpec;
  readonly signerUrl: string | undefined;
  /** A cluster ID, where only that one is asked for. */
  readonly member: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The reconciler under its own account: what it can list, whether the root can be read, and what each member allows it. Fails
 * with InputError where `member` is a member of none of the projects that were listed in full.
 */
export async function examineReconciler(examination: Examination): Promise<readonly Check[]> {
  const { ports, spec, signerUrl, member } = examination;
  const signal = AbortSignal.any([examination.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const grants = functionsGrants("reconciler");
  const [root, ...projects] = await Promise.all([
    checkRoot(ports, { spec, signerUrl, grants, signal }),
    ...spec.projects.map((project) => checkProject(ports, spec, project, grants, signal)),
  ]);
  const all = projects.flatMap(({ members }) => members);
  const members = all.filter(({ ref }) => member === undefined || clusterId(ref) === member);
  const listings = projects.map(({ check }) => check);
  if (members.length === 0 && member !== undefined && listings.every(({ state }) => state === "ok")) {
    throw notAMember(member);
  }
  return [root, ...listings, ...(await checkMembers(ports, members, { spec, grants, deep: true, signal }))];
}

function notAMember(member: string): InputError {
  return new InputError(`member is ${member}, which is no member; give the cluster ID of one`, {
    code: "NotAMember",
    field: "member",
  });
}
