import { type Check, unknown } from "../../../shared/core/answers/check.ts";

/** A new project does not have them, Terraform grants them something, and no API tells whether they are there. */
export function checkServiceIdentities(project: string): Check {
  const create = (service: string) =>
    `gcloud beta services identity create --project=${project} --service=${service}.googleapis.com`;
  return unknown(
    { name: "identities", account: "caller" },
    `${project}: Google tells nobody whether its own accounts of Pub/Sub and Secret Manager are there; to create them again changes nothing`,
    `${create("pubsub")} && ${create("secretmanager")}`,
  );
}
