import { type Check, fault, fine } from "../../../shared/core/answers/check.ts";
import { enableApi } from "../../../shared/doctor/grants.ts";
import { notKnown, type Questions } from "./question.ts";

/** The APIs that Terraform and Google's own accounts need first; Terraform enables the others. */
export const FIRST_APIS = [
  "cloudresourcemanager.googleapis.com",
  "pubsub.googleapis.com",
  "secretmanager.googleapis.com",
  "serviceusage.googleapis.com",
];

export async function checkApis(questions: Questions, project: string): Promise<Check> {
  const subject = { name: "apis", account: "caller" } as const;
  try {
    const enabled = await questions.facts.enabledApis(project, FIRST_APIS, questions.signal);
    const missing = FIRST_APIS.filter((api) => !enabled.has(api));
    if (missing.length === 0)
      return fine(subject, `${project}: the APIs that Terraform itself needs are enabled`);
    return fault(
      subject,
      `${project}: not enabled: ${missing.join(", ")}`,
      enableApi(missing.join(" "), project),
    );
  } catch (error) {
    return notKnown(subject, project, error, questions);
  }
}
