import { type Check, fault, fine } from "../../../shared/core/answers/check.ts";
import { notKnown, type Questions } from "./question.ts";
import { defaultNeeds, type TerraformNeed } from "./terraform-permissions.ts";

/** The role of a project in the mesh. */
export interface ProjectPart {
  readonly isMeshjoins: boolean;
  readonly isMembers: boolean;
}

/** Whether the caller may create the resources of every deployment in the project. */
export async function checkPermissions(
  questions: Questions,
  project: string,
  part: ProjectPart,
): Promise<Check> {
  const subject = { name: "permissions", account: "caller" } as const;
  const needs = defaultNeeds(part.isMeshjoins, part.isMembers);
  const permissions = [...new Set(needs.flatMap((need) => need.permissions))].toSorted();
  try {
    const granted = await questions.facts.grantedPermissions(project, permissions, questions.signal);
    const lacking = needs.flatMap((need) => lackOf(need, granted));
    if (lacking.length === 0) {
      return fine(subject, `${project}: you may create all that Terraform creates there without options`);
    }
    const roles = [...new Set(lacking.flatMap((lack) => lack.roles))].toSorted();
    return fault(
      subject,
      `${project}: you lack ${lacking.map(({ why, missing }) => `${missing.join(", ")} (${why})`).join("; ")}`,
      roles.map((role) => questions.grants.onProject(project, role)).join(" && "),
    );
  } catch (error) {
    return notKnown(subject, project, error, questions);
  }
}

interface Lack extends TerraformNeed {
  readonly missing: readonly string[];
}

function lackOf(need: TerraformNeed, granted: ReadonlySet<string>): Lack[] {
  const missing = need.permissions.filter((permission) => !granted.has(permission));
  return missing.length === 0 ? [] : [{ ...need, missing }];
}
