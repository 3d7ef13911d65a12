/**
 * What Terraform grants beside the custom roles, and why no scenario of the sandbox can need it. A grant that is missing here
 * fails a test.
 */
export const NOT_EXERCISED: Readonly<Record<string, string>> = {
  "roles/run.invoker":
    "enforced by the sandbox before sign-intermediate only; who else may invoke a function is the push subscription's and the Scheduler's own account",
  "roles/logging.logWriter":
    "functions write to standard output; Cloud Run's own agent sends it to Cloud Logging",
  "roles/logging.configWriter":
    "of whoever applies Terraform: log sinks and metrics are no calls of Meshjoin",
  "roles/pubsub.publisher": "of Google's service agents: the log sink, dead letters and secret notifications",
  "roles/pubsub.subscriber":
    "of the Pub/Sub service agent, for dead letters; the sandbox has no dead letter topic",
  "roles/iam.serviceAccountTokenCreator":
    "of the Pub/Sub service agent, which makes the tokens of push requests",
  "roles/iam.serviceAccountUser": "of whoever deploys the functions",
  "roles/iam.workloadIdentityUser": "of whoever deploys the functions",
  "roles/cloudbuild.builds.builder": "of the account that builds the functions' containers",
  "roles/artifactregistry.writer": "of the account that builds the functions' containers",
  "roles/storage.objectViewer": "of the account that builds the functions' containers",
};
