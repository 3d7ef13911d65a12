import { type Check, unknown } from "../../../shared/core/answers/check.ts";

/** A new project lacks them, Terraform grants them roles, and no API tells whether they exist. */
export function checkServiceIdentities(project: string): Check {
  const create = (service: string) =>
    `gcloud beta services identity create --project=${project} --service=${service}.googleapis.com`;
  return unknown(
    { name: "identities", account: "caller" },
    `${project}: Google does not tell whether its own accounts of Pub/Sub and Secret Manager exist; to create them again changes nothing`,
    `${create("pubsub")} && ${create("secretmanager")}`,
  );
}
