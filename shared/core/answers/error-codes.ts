import { REASONS, type Reason } from "./reasons.ts";

/** The general words for a code; an error's own message and cure describe the case. */
export interface CodeEntry {
  readonly means: string;
  readonly cure: string;
}

const AGAIN = "None: Meshjoin tries again. If it lasts, the message says where.";

/**
 * The codes of errors, refused orders and HTTP answers, beside the reasons of findings: an error about the
 * same thing has the same name. A code is stable: alerts, callers and runbooks match on it. The error's class
 * tells whether trying again may help. docs/reference/errors.md is generated from this.
 */
export const CODES = {
  Aborted: { means: "A Google API gave up the call because of another one at the same time.", cure: AGAIN },
  AlreadyExists: {
    means: "Another run, or a person, has created the object first.",
    cure: "None: the run reads the object and judges it.",
  },
  ApiServerError: {
    means: "The API server of a member is overloaded, or in trouble of its own.",
    cure: "None: Meshjoin tries again. If it lasts, check the cluster's health.",
  },
  BuildFailed: {
    means: "A build of `dist/`, or of a program for the sandbox, failed.",
    cure: "Mend what the lines above it, or beneath it, say.",
  },
  Cancelled: {
    means: "The run's deadline came, or the caller went away, before the answer.",
    cure: AGAIN,
  },
  CertificateInvalid: {
    means:
      "istiod would refuse the certificate that was issued for a member. Meshjoin did not write it. The field `fault` names the fault.",
    cure: "Check the root secret: `meshjoin root status` and `meshjoin doctor`.",
  },
  CertificateMalformed: {
    means: "A certificate cannot be read.",
    cure: "Give an X.509 certificate in PEM.",
  },
  ClusterBusy: {
    means: "GKE has an operation on the cluster under way, and takes no change of its labels now.",
    cure: "Try again when that operation is over.",
  },
  ClusterUnknown: {
    means: "No configured source has a cluster of that name or ID.",
    cure: "Correct the name, or wait: a list may lag behind a cluster that has just been created.",
  },
  Conflict: {
    means: "A person or a tool changed an object after the run had read it. Meshjoin wrote nothing.",
    cure: "None: the next run reads it anew.",
  },
  CrdsNotEstablished: {
    means: "The API server does not serve the new custom resource definitions yet.",
    cure: "None: Meshjoin tries again.",
  },
  CsrKeyRefused: {
    means: "Meshjoin does not certify keys like the one in a certificate request.",
    cure: "Send a request with a key of an algorithm and size that the message names.",
  },
  CsrMalformed: {
    means: "A certificate request cannot be read.",
    cure: "Send one PKCS#10 request in PEM.",
  },
  CsrSignatureInvalid: {
    means: "A certificate request is not signed by the key that it names.",
    cure: "Make the request anew, and sign it with its own key.",
  },
  DataLoss: { means: "A Google API says that data is lost.", cure: "See the status page of Google Cloud." },
  DeadlineExceeded: { means: "A Google API did not answer in time.", cure: AGAIN },
  ExclusionIsMember: {
    means:
      "An order excludes a member from a root rotation, or a cluster that would be one if the configuration did not leave it out.",
    cure: "Take it out of the mesh first: `meshjoin leave`.",
  },
  ExclusionUnknown: {
    means: "An order excludes a cluster from a root rotation, and that cluster does not hold it up.",
    cure: "Name one that `meshjoin root status` lists.",
  },
  FailedPrecondition: {
    means: "A Google API refuses a change, because the resource is not in the right state.",
    cure: "Do what the message says.",
  },
  Failed: {
    means: "GKE calls the cluster failed, so it does not join.",
    cure: "Mend the cluster, then join it.",
  },
  Forbidden: {
    means:
      "The API server of a member refuses the service account; or a browser sent a form that no page of `sync-mesh` gave out.",
    cure: "Grant what the message names: `meshjoin doctor` has the command. For a form: load the page again.",
  },
  ForeignObject: {
    means:
      "An object that Meshjoin needs to create exists, and is not Meshjoin's. Meshjoin does not overwrite it.",
    cure: "Take the mesh label off the cluster. Or delete the object, an outage of all that relies on it.",
  },
  Internal: {
    means: "A fault of Meshjoin, or of a Google API. The answer gives no details.",
    cure: "See the log: the entry has the stack or the cause.",
  },
  InvalidArgument: {
    means: "A Google API does not take a name or a value.",
    cure: "Correct the name that the message quotes, in the configuration.",
  },
  InvalidConfiguration: {
    means: "Environment variables are missing or wrong; the message has one line for each.",
    cure: "Correct them as each line says; see the [configuration](config.md).",
  },
  InvalidInput: {
    means:
      "A body, a query or an argument is wrong. `field` names the part; the answer never repeats its value.",
    cure: "Send what the message says.",
  },
  IstiodNotAsked: {
    means: "The run's deadline came before Meshjoin could ask the istiod of a member.",
    cure: "None: Meshjoin tries again.",
  },
  JoinIncomplete: {
    means: "The join of a cluster is not finished. The log lines before name the rest.",
    cure: "None: the event is delivered again.",
  },
  KindNotServed: {
    means:
      "The API server of a member does not serve a kind of object that Meshjoin needs. Its custom resource definition is absent, or so new that the API server has not taken notice.",
    cure: "If it lasts, bring Istio's definitions back: `meshjoin sync --deep`.",
  },
  LabelTaken: {
    means: "The mesh label of a cluster has another value.",
    cure: "Take the cluster out of that other mesh first.",
  },
  LeaveIncomplete: {
    means: "The departure of a cluster is not finished. The log lines before name the rest.",
    cure: "None: the event is delivered again.",
  },
  ManifestInvalid: {
    means: "The manifest of Istio's control plane in the bundle cannot be read.",
    cure: "Build the bundle again.",
  },
  ManifestUnfit: {
    means: "The manifest of Istio's control plane is missing, or is that of the sandbox.",
    cure: "Run the build that the cure names.",
  },
  MessageNotUnderstood: {
    means: "A message on the rotation topic is no order, and no notification of Secret Manager.",
    cure: "Correct the field that the message names, and publish it again.",
  },
  MethodNotAllowed: {
    means: "A path is served, but not with that method.",
    cure: "Use one of those in the header `allow`.",
  },
  NoCredentials: {
    means: "There are no Google credentials.",
    cure: "Run as a service account, or run `gcloud auth application-default login`.",
  },
  NoHostAddress: {
    means: "The sandbox's traffic needs an IPv4 address of this machine that is not loopback.",
    cure: "Connect this machine to a network.",
  },
  NoIdentityToken: {
    means: "The credentials give no identity token: only those of a service account do.",
    cure: "`gcloud auth application-default login --impersonate-service-account=ACCOUNT`.",
  },
  NoRotation: {
    means: "An order is about a root rotation, and none is under way.",
    cure: "Begin one: `meshjoin root rotate`.",
  },
  NotAMember: {
    means: "The cluster is no member of the mesh, so Meshjoin signs nothing for it and asks nothing of it.",
    cure: "Give the cluster ID of a member: one that runs, is allowed and has the mesh label.",
  },
  NotAllowed: {
    means: "The name of the cluster matches nothing in `MESHJOIN_ALLOW`.",
    cure: "Add it there.",
  },
  NotConfirmed: {
    means: "A command that takes something from the mesh, or changes what it trusts, was given no yes.",
    cure: "Run it on a terminal and answer its question, or give `--yes`.",
  },
  NotFound: {
    means:
      "An object or a namespace of a member, a resource of Google Cloud, or a path of the function does not exist.",
    cure: "Correct the name. If the object has just gone away, the next run looks again.",
  },
  NotLabelled: {
    means: "The cluster does not have the mesh label, so it is no member.",
    cure: "Give it the label: `meshjoin join`.",
  },
  NothingToAbort: {
    means: "No root rotation is under way that Meshjoin could take back.",
    cure: "To go in the other direction, begin one: `meshjoin root rotate`.",
  },
  OperationFailed: {
    means: "GKE began to change the labels of a cluster and failed.",
    cure: "Do what GKE's message says.",
  },
  OrderOutOfDate: {
    means: "The root secret has changed since the order was given.",
    cure: "See its present state, `meshjoin root status`, and give the order again.",
  },
  OutOfRange: { means: "A Google API does not take a value.", cure: "Correct what the message names." },
  PairSyncing: {
    means:
      "istiod of a member is still reading a cluster that it was connected to before. The next remote secret waits for it.",
    cure: "None: Meshjoin writes the remote secret afterwards. If it lasts: `PairNotSynced` among the [reasons](reasons.md).",
  },
  PayloadTooLarge: { means: "The body of a request is too large.", cure: "Send less." },
  PermissionDenied: {
    means: "Google Cloud refuses the account a permission that the message names.",
    cure: "Grant a role that has it: `meshjoin doctor` has the command.",
  },
  ProcessFailed: {
    means: "A process of the sandbox did not start, or ended before it was ready.",
    cure: "See its last lines of output, and its log.",
  },
  ProjectNotConfigured: {
    means: "The project of the cluster is not in `MESHJOIN_PROJECTS`.",
    cure: "Add it there.",
  },
  Provisioning: {
    means: "GKE is still making the cluster.",
    cure: "None for an event: it is delivered again. Else join the cluster once it runs.",
  },
  ReaderAccountMissing: {
    means: "A member lacks the service account whose tokens its readers use.",
    cure: "Install it with Istio's base chart (`values.global.enableReaderRBAC`).",
  },
  Rejected: {
    means:
      "The API server of a member rejects an object or a request. The field `reason` has the server's own reason, such as `Invalid`.",
    cure: "Mend what the message names; often it is an admission webhook or a policy of the cluster.",
  },
  ResourceExhausted: { means: "A quota of a Google API is used up for now.", cure: AGAIN },
  RootAccessDenied: {
    means: "Google Cloud refuses the account a request about the root secret.",
    cure: "Grant a role that has the permission in the message: `meshjoin doctor` has the command.",
  },
  RootAlgorithm: {
    means: "The key of a root is too weak, or of a kind that Meshjoin does not use.",
    cure: "Store a root with RSA 2048 to 4096, P-256 or P-384.",
  },
  RootChecksumMismatch: {
    means: "A version of the root secret did not arrive as Secret Manager stores it.",
    cure: "Run again, and look for a proxy that rewrites answers.",
  },
  RootExists: { means: "The mesh has a root already.", cure: "Replace it: `meshjoin root rotate`." },
  RootExpired: { means: "The root that signs has expired.", cure: "Add a new root and rotate to it." },
  RootKeyEncrypted: {
    means: "The key of a root is encrypted.",
    cure: "Store it unencrypted: Secret Manager encrypts it.",
  },
  RootKeyMismatch: {
    means: "The key of a root does not belong to its certificate.",
    cure: "Store a certificate and its own key.",
  },
  RootNotCa: {
    means: "The certificate of a root is not a CA certificate.",
    cure: "Store a root CA that may sign intermediates.",
  },
  RootNotYetValid: {
    means: "The root that signs is valid only from a later time.",
    cure: "Wait, or correct the clock or the root.",
  },
  RootPathLength: {
    means: "The certificate of a root allows no CA beneath it.",
    cure: "Store a root CA that may sign intermediates.",
  },
  RootPayloadMalformed: {
    means: "A version of the root secret does not hold one certificate and its key in PEM.",
    cure: "Store one PEM certificate followed by its PEM private key.",
  },
  RootSecretMissing: {
    means: "The root secret does not exist.",
    cure: "Create it: `meshjoin root init`.",
  },
  RootTwice: {
    means: "Two aliases of the root secret name versions with the same certificate.",
    cure: "Give the aliases to different roots.",
  },
  RootUsed: {
    means: "A version of the root secret was a root of the mesh before, and cannot be one again.",
    cure: "Add a new one: `meshjoin root rotate`.",
  },
  RootVersionDisabled: {
    means: "An alias of the root secret names a version that is disabled or destroyed.",
    cure: "Enable the version, or give the alias to another.",
  },
  RootVersionMissing: {
    means: "An alias of the root secret names a version that does not exist.",
    cure: "Give the alias to a version that does.",
  },
  RotationInProgress: {
    means: "A root rotation is under way already.",
    cure: "See what it waits for: `meshjoin root status`.",
  },
  RotationIncomplete: {
    means: "Some intermediates that an order covers are not replaced yet.",
    cure: "None: the message is delivered again.",
  },
  ServiceDisabled: {
    means: "An API of Google Cloud is not enabled in a project.",
    cure: "Run `gcloud services enable`; `meshjoin doctor` has the whole command.",
  },
  SignerAccessDenied: {
    means: "The function `sign-intermediate` does not let the caller in.",
    cure: "Grant the caller `roles/run.invoker` on it, and check that `MESHJOIN_SIGNER_URL` is exactly its URL.",
  },
  SignerMisplaced: {
    means: "Another service than `sign-intermediate` of this version answers at `MESHJOIN_SIGNER_URL`.",
    cure: "Set it to the function's URL, and deploy both from one build.",
  },
  SignerUnavailable: { means: "The function `sign-intermediate` does not answer.", cure: AGAIN },
  SignerVersionDiffers: {
    means:
      "The function `sign-intermediate` has refused with a code that this version does not know. The field `said` has it.",
    cure: "Do what the message says, and deploy both from one build.",
  },
  StageNotOver: {
    means: "The stage of a root rotation still waits for clusters or for time, so it does not move on.",
    cure: "See what it waits for: `meshjoin root status`.",
  },
  Stale: {
    means: "Another run, a person or a tool has changed the root secret meanwhile. Meshjoin changed nothing.",
    cure: "See its present state, `meshjoin root status`; a run looks again by itself.",
  },
  StatusUnknown: {
    means: "GKE gives the cluster a status that this version does not know, so it does not join.",
    cure: "Check the cluster with `gcloud container clusters describe`, then join it.",
  },
  Stopping: { means: "GKE is deleting the cluster.", cure: "Name another cluster." },
  TokenNotAccepted: {
    means: "A member does not accept its newly granted token yet.",
    cure: "None: Meshjoin tries again.",
  },
  ToolMissing: {
    means: "A program that the sandbox needs is missing, and the download failed.",
    cure: "Install what the message names, or set `MESHJOIN_BINARIES` to a directory that holds it.",
  },
  Unauthenticated: {
    means: "Google Cloud does not accept the credentials.",
    cure: "Check the service account of this process.",
  },
  Unauthorized: {
    means: "The API server of a member does not accept Meshjoin's access token.",
    cure: "None: Meshjoin tries again. If it lasts, check the cluster's IAM.",
  },
  Unavailable: { means: "A Google API does not answer, or is out of service.", cure: AGAIN },
  UnexpectedAliases: {
    means: "A person or a tool has edited the aliases of the root secret: no rotation makes these.",
    cure: "Set them back: signing, and at most one of next and previous, each to a version of its own.",
  },
  Unexpected: {
    means: "A fault of Meshjoin, or data of one member that Meshjoin cannot read.",
    cure: "See the log: the entry has the cause. Mend the object that it names, or report it.",
  },
  Unimplemented: {
    means: "A Google API does not know the call.",
    cure: "Check that the endpoint is Google's, and this version recent.",
  },
  Unknown: { means: "A Google API failed without a reason.", cure: AGAIN },
  UnsupportedMediaType: {
    means: "The header `content-type` of a request is missing or wrong.",
    cure: "Send the header `content-type` that the message names.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type ErrorCode = keyof typeof CODES | Reason;

/** For a text from another process, which may be of another version. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(CODES, text) || Object.hasOwn(REASONS, text);
}
