/**
 * What Terraform grants beside the custom roles, and why no scenario of the sandbox can need it. A grant that
 * is missing here fails a test.
 */
export const NOT_EXERCISED: Readonly<Record<string, string>> = {
  "roles/run.invoker":
    "enforced before sign-intermediate and examine-rotator; the other functions take requests without a token on loopback, where no push subscription and no Scheduler signs any",
  "roles/logging.logWriter":
    "of the account that builds the functions' containers: nothing is built in the sandbox",
  "roles/artifactregistry.writer": "the same account's",
  "roles/artifactregistry.reader": "of the nodes, which run no container in the sandbox",
  "roles/secretmanager.secretAccessor":
    "of Artifact Registry's own agent, on the password for Docker Hub alone: the sandbox has no Artifact Registry",
  "roles/storage.objectViewer": "the same account's",
  "roles/pubsub.publisher":
    "of Google's own agents: log sink, dead letters, notifications of the root secret",
  "roles/eventarc.eventReceiver": "of an example; the root module delivers by push subscriptions",
  "roles/iam.serviceAccountOpenIdTokenCreator":
    "of Pub/Sub's own agent: pushes come without a token in the sandbox",
  "roles/pubsub.subscriber": "of Pub/Sub's own agent: dead letters, which the sandbox gives up to by itself",
};
