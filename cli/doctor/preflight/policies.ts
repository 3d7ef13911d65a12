import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import type { Restriction } from "../../../shared/ports/project-facts.ts";
import { notKnown, type Questions } from "./question.ts";

const SUBJECT = { name: "policies", account: "caller" } as const;

const NOT_ENFORCED = "not enforced";

interface Policy {
  readonly constraint: string;
  readonly cure: string;
  /**
   * The value that Terraform needs without options, or `NOT_ENFORCED`. Without it, what is enough depends on inputs that are
   * not known here.
   */
  readonly defaultNeeds?: string;
}

const INGRESS =
  'ingress = { sync = "ALLOW_INTERNAL_ONLY", signer = "ALLOW_INTERNAL_ONLY" } and vpc_egress with traffic = "ALL_TRAFFIC"';

/** Those of docs/deploy.md about which there is something to do. */
export const POLICIES: readonly Policy[] = [
  {
    constraint: "iam.managed.allowedPolicyMembers",
    cure: "allow the organization's principal set, which holds its service accounts and Google's agents",
  },
  {
    constraint: "gcp.resourceLocations",
    cure: "give Terraform locations that it allows: region, root_secret.locations, image_mirror.location",
  },
  { constraint: "run.allowedIngress", cure: INGRESS, defaultNeeds: "all" },
  { constraint: "cloudfunctions.allowedIngressSettings", cure: INGRESS, defaultNeeds: "ALLOW_ALL" },
  { constraint: "run.allowedVPCEgress", cure: "give Terraform vpc_egress, with traffic that it allows" },
  {
    constraint: "cloudfunctions.requireVPCConnector",
    cure: "give Terraform vpc_egress; whether Direct VPC egress is enough is not known",
    defaultNeeds: NOT_ENFORCED,
  },
  { constraint: "gcp.restrictServiceUsage", cure: "allow the APIs that terraform/main.tf enables" },
];

/** What policies leave there for Meshjoin: what its functions run into, wherever the clusters are. */
export async function checkPolicies(questions: Questions, project: string): Promise<readonly Check[]> {
  const answers = await Promise.allSettled(
    POLICIES.map(async (policy) => {
      const left = await questions.facts.restriction(project, policy.constraint, questions.signal);
      return left === undefined || isEnough(policy, left) ? [] : [weigh(project, policy, left)];
    }),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  // Mostly none can be read, and for one reason.
  const unread = errors.slice(0, 1).map((error: unknown) => notKnown(SUBJECT, project, error, questions));
  const checks = [...found, ...unread];
  return checks.length > 0 ? checks : [fine(SUBJECT, `${project}: none stands in the way`)];
}

function weigh(project: string, { constraint, cure, defaultNeeds }: Policy, left: Restriction): Check {
  const about = `${project}: ${constraint} ${describe(left)}`;
  return defaultNeeds === undefined
    ? unknown(SUBJECT, `${about}: whether that is enough is not known`, cure)
    : fault(SUBJECT, `${about}: Terraform without options is refused`, cure);
}

function isEnough({ defaultNeeds }: Policy, left: Restriction): boolean {
  if (defaultNeeds === undefined || left.kind === "enforced") return false;
  const { allowed, denied } = left;
  if (denied.includes(defaultNeeds)) return false;
  return allowed.includes(defaultNeeds) || (allowed.length === 0 && denied.length > 0);
}

function describe(left: Restriction): string {
  if (left.kind === "enforced") return "is enforced";
  const { allowed, denied } = left;
  if (allowed.length + denied.length === 0) return "allows nothing";
  return [
    ...(allowed.length > 0 ? [`allows ${allowed.join(", ")} alone`] : []),
    ...(denied.length > 0 ? [`denies ${denied.join(", ")}`] : []),
  ].join(", ");
}
