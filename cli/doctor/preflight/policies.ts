import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import type { Restriction } from "../../../shared/ports/project-facts.ts";
import { notKnown, type Questions } from "./question.ts";

const SUBJECT = { name: "policies", account: "caller" } as const;

const NOT_ENFORCED = "not enforced";

interface Policy {
  readonly constraint: string;
  readonly cure: string;
  /** The value that Terraform needs without options, or `NOT_ENFORCED`; undefined if inputs decide. */
  readonly defaultNeeds?: string;
}

const INGRESS =
  'ingress = { sync = "ALLOW_INTERNAL_ONLY", signer = "ALLOW_INTERNAL_ONLY" } and vpc_egress with traffic = "ALL_TRAFFIC"';

/** The policies of docs/deploy.md that a person can do something about. */
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
    cure: "give Terraform vpc_egress; it is not known whether Direct VPC egress is enough",
    defaultNeeds: NOT_ENFORCED,
  },
  { constraint: "gcp.restrictServiceUsage", cure: "allow the APIs that terraform/main.tf enables" },
];

/** Checks the policies that restrict Meshjoin's functions, wherever the clusters are. */
export async function checkPolicies(questions: Questions, project: string): Promise<readonly Check[]> {
  const answers = await Promise.allSettled(
    POLICIES.map(async (policy) => {
      const limit = await questions.facts.restriction(project, policy.constraint, questions.signal);
      return limit === undefined || isEnough(policy, limit) ? [] : [weigh(project, policy, limit)];
    }),
  );
  const verdicts = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  // Usually all fail for the same reason.
  const unread = errors.slice(0, 1).map((error: unknown) => notKnown(SUBJECT, project, error, questions));
  const checks = [...verdicts, ...unread];
  return checks.length > 0 ? checks : [fine(SUBJECT, `${project}: no policy is in the way`)];
}

function weigh(project: string, { constraint, cure, defaultNeeds }: Policy, restriction: Restriction): Check {
  const about = `${project}: ${constraint} ${describe(restriction)}`;
  return defaultNeeds === undefined
    ? unknown(SUBJECT, `${about}: it is not known whether that is enough`, cure)
    : fault(SUBJECT, `${about}: Terraform without options is refused`, cure);
}

function isEnough({ defaultNeeds }: Policy, restriction: Restriction): boolean {
  if (defaultNeeds === undefined || restriction.kind === "enforced") return false;
  const { allowed, denied } = restriction;
  if (denied.includes(defaultNeeds)) return false;
  return allowed.includes(defaultNeeds) || (allowed.length === 0 && denied.length > 0);
}

function describe(restriction: Restriction): string {
  if (restriction.kind === "enforced") return "is enforced";
  const { allowed, denied } = restriction;
  if (allowed.length + denied.length === 0) return "allows nothing";
  return [
    ...(allowed.length > 0 ? [`allows ${allowed.join(", ")} alone`] : []),
    ...(denied.length > 0 ? [`denies ${denied.join(", ")}`] : []),
  ].join(", ");
}
