/** Commands of the documentation that do not run on the sandbox, and why. */
export const UNTRIED: readonly { readonly command: RegExp; readonly why: string }[] = [
  { command: /^gcloud auth application-default login$/, why: "it asks a person, in a browser" },
  { command: /^gcloud scheduler jobs /, why: "nothing stands in for Cloud Scheduler" },
  {
    command: /^gcloud (?:secrets|projects) (?:get|remove)-iam-policy/,
    why: "the sandbox's IAM knows what accounts may do, and no policies of resources",
  },
  {
    command: /^gcloud iam service-accounts disable /,
    why: "accounts of the sandbox are a list, and cannot be disabled",
  },
];
