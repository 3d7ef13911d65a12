import { type Check, fault, fine } from "../../../shared/core/answers/check.ts";
import { notKnown, type Questions } from "./question.ts";

/** Without billing most APIs cannot be enabled. */
export async function checkBilling(questions: Questions, project: string): Promise<Check> {
  const subject = { name: "billing", account: "caller" } as const;
  try {
    if (await questions.facts.isBilled(project, questions.signal))
      return fine(subject, `${project}: is enabled`);
    return fault(
      subject,
      `${project}: it has no open billing account`,
      `gcloud billing projects link ${project} --billing-account=ACCOUNT`,
    );
  } catch (error) {
    return notKnown(subject, project, error, questions);
  }
}
