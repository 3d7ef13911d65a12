/** A command of the documentation that does not run on the sandbox, and why. */
export interface Untried {
  readonly command: RegExp;
  readonly why: string;
}

const LOGIN = { command: /^gcloud auth application-default login/, why: "it asks a person, in a browser" };
const CHECKS = "the gate runs it";

/** Of the runbook, and of what to do after a theft. */
export const UNTRIED: readonly Untried[] = [
  LOGIN,
  { command: /^gcloud scheduler jobs /, why: "nothing stands in for Cloud Scheduler" },
  {
    command: /^gcloud (?:secrets|projects) (?:get|remove)-iam-policy/,
    why: "the sandbox's IAM knows what accounts may do, and no policies of resources",
  },
  {
    command: /^meshjoin sync --confirm (?:NetworkChanges|GatewayInUse|IngressInUse)$/,
    why: "the clusters of this test share one network; scenarios 20.6, 21.4 and 25.7, and unit tests, confirm them",
  },
  {
    command: /^meshjoin sync --confirm MassDrain$/,
    why: "no label drains a member of this test; scenario 24.2 confirms it",
  },
  {
    command: /^kubectl --context <member> -n istio-ingress /,
    why: "the clusters of this test have no ingress; scenario 25.5 runs these",
  },
  {
    command: /^meshjoin sync --confirm TrafficDefaultsDiffer$/,
    why: "the members of this test have the rule from the start; scenario 23.3 takes it away and confirms it",
  },
  {
    command: /^meshjoin check$/,
    why: "the clusters of this test run no Envoy; scenarios 22.1 to 22.6 check",
  },
  {
    command: /^meshjoin (?:un)?drain CLUSTER$/,
    why: "they ask a person, and end with 1 where there is nobody to ask; unit tests and scenario 24.1 drain members",
  },
  {
    command: /^meshjoin (?:drain|leave|undrain) <member>/,
    why: "no member of this test is dead; unit tests drain and undrain one that Meshjoin has drained",
  },
  {
    command: /^gcloud logging read .+DrainHeldBack/s,
    why: "no member of this test is dead; unit tests read such findings",
  },
  {
    command: /^gcloud iam service-accounts disable /,
    why: "accounts of the sandbox are a list, and cannot be disabled",
  },
];

/** Of the guide. */
export const UNTRIED_IN_GUIDE: readonly Untried[] = [
  LOGIN,
  { command: /^gcloud auth login /, why: "it asks a person, in a browser; the test leaves what it leaves" },
  {
    command: /^curl .*blob\.istio\.io/,
    why: "the istioctl of a release cannot be had where this was written; the test puts a stand-in in its place",
  },
  {
    command: /^meshjoin doctor --preflight$/,
    why: "the test of the command line runs it on the sandbox, scenario 12.10",
  },
  {
    command: /^meshjoin open /,
    why: "nothing stands in for IAM's identity tokens of an impersonated account; tests of the page open it without",
  },
  {
    command: /^npm run meshjoin -- doctor --url /,
    why: "nothing stands in for the address that Terraform would tell; the test of the command line asks the function so",
  },
  {
    command: /^gcloud run services get-iam-policy/,
    why: "nothing stands in for Cloud Run",
  },
  { command: /^meshjoin join$/, why: "it is named, and not to be typed: other tests join so" },
  {
    command: /backend_override|-migrate-state/,
    why: "the state would go to a bucket: nothing stands in for it",
  },
  { command: /^terraform .*import …/, why: "the stand-in of the provider imports nothing" },
  {
    command: /^gcloud secrets update .*--remove-rotation-schedule/,
    why: "the sandbox's Secret Manager keeps no schedule of rotations; gcloud takes the command, and is told so",
  },
  {
    command: /^kubectl delete namespace istio-system$/,
    why: "not looked at yet: what of Istio holds up the end of its namespace on the sandbox",
  },
  { command: /^terraform plan$/, why: "cloudbuild.yaml runs it, for a pull request" },
  { command: /^terraform (?:fmt|validate|test|apply)$/, why: `${CHECKS}, as npm run check:terraform` },
  { command: /^npm run check/, why: CHECKS },
  { command: /^npm run release -- (?:--snapshot|--istioctl <)/, why: "the test of the release runs it" },
  { command: /^npm run changelog$/, why: "it writes into the work tree" },
  { command: /extract-schema/, why: "it downloads the schemas" },
  { command: /^pip install checkov/, why: "it downloads; a gate without one runs it" },
];

/** Commands that were neither tried nor excused, and excuses of which no command has need. */
export function unaccounted(untried: readonly string[], excuses: readonly Untried[]): readonly string[] {
  const without = untried.filter((text) => !excuses.some(({ command }) => command.test(text)));
  const idle = excuses.filter(({ command }) => !untried.some((text) => command.test(text)));
  return [...without, ...idle.map(({ command, why }) => `nothing is excused by ${command}: ${why}`)];
}
