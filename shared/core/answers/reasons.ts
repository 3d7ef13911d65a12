/** `error`: a person must act before the mesh is whole. `warning`: time, or a later run, may end it. */
export type Severity = "info" | "warning" | "error";

/** What a reason says wherever it is found; the finding's own message and cure say it of the case. */
export interface ReasonEntry {
  readonly severity: Severity;
  readonly means: string;
  readonly cure: string;
}

/**
 * Everything that Meshjoin may have to say about a mesh. A reason is stable: alerts, tests and runbooks match on it.
 * docs/reference/reasons.md is made of this.
 */
export const REASONS = {
  AbsenceNotProved: {
    severity: "warning",
    means:
      "Members hold credentials of a cluster that is no member now, and nothing proves that it is to leave: its source is silent, may not be asked, or gives it a status like ERROR. Nothing is removed.",
    cure: "The message says which, and the finding's cure what settles it.",
  },
  AccountFault: {
    severity: "error",
    means:
      "In a deep run a function under another account, the rotator or the signer, examined that account and found a fault. What it does next would fail.",
    cure: "Do what the finding's cure says; then `meshjoin doctor --url URL` shows whether that was all.",
  },
  AccountUnknown: {
    severity: "warning",
    means:
      "In a deep run the rotator or the signer could not say what its account is allowed, or in part only.",
    cure: "See the log of `examine-rotator` or `sign-intermediate`, and ask again: `meshjoin doctor --url URL`.",
  },
  ApiServerRefused: {
    severity: "error",
    means: "The API server of a member answers, and refuses what Meshjoin asks.",
    cure: "Grant the service account what the message names; `meshjoin doctor` says with which command.",
  },
  ApiServerUnreachable: {
    severity: "warning",
    means:
      "The API server of a member does not answer, or is in trouble of its own. Nothing is known of the member.",
    cure: "If it lasts: the cluster's health, its authorized networks, and `MESHJOIN_ACCESS_FUNCTION`. Each full run looks again.",
  },
  AutopilotNeedsNetAdmin: {
    severity: "warning",
    means:
      "An Autopilot cluster refuses every pod with a sidecar, because `istio-init` has the capability NET_ADMIN. istiod itself runs.",
    cure: "`gcloud container clusters update NAME --workload-policies=allow-net-admin`; the message has the whole command.",
  },
  CacertsMissing: {
    severity: "info",
    means: "A member has no intermediate CA.",
    cure: "None: Meshjoin issues one.",
  },
  CacertsOutdated: {
    severity: "info",
    means: "A member's intermediate CA stands for other roots than the mesh has now.",
    cure: "None: Meshjoin issues a new one.",
  },
  CertificateDue: {
    severity: "info",
    means: "An intermediate CA has lived two thirds of its life, or was ordered to be replaced.",
    cure: "None: a full run issues another, a share of the members at a time.",
  },
  CertificateExpiring: {
    severity: "error",
    means: "Less than a sixth of the life of an intermediate CA is left, and nothing has renewed it.",
    cure: "See why in the logs of `sync-mesh` and `on-rotation-request`, then `meshjoin rotate`. It is renewed now even where others hold a rotation up.",
  },
  CertificateLoading: {
    severity: "info",
    means: "istiod does not serve yet what was written for it less than three minutes ago.",
    cure: "None: a kubelet takes up to two minutes to bring a changed Secret to the pod.",
  },
  CertificateNotLoaded: {
    severity: "error",
    means: "istiod serves another intermediate CA than the one that was written for it.",
    cure: "`kubectl -n istio-system logs deploy/istiod` says why; `kubectl -n istio-system rollout restart deployment/istiod` makes it read it anew.",
  },
  ClusterIdCollision: {
    severity: "error",
    means: "Two members would have the same cluster ID. Neither joins.",
    cure: "Recreate one under another name, or take its label off.",
  },
  ControlPlaneEdited: {
    severity: "info",
    means: "Somebody has changed a field of Istio's objects that Meshjoin sets; a deep run has seen it.",
    cure: "None: it was taken back. Who changes it again has their way, and is named (`FieldConflict`).",
  },
  ControlPlaneMissing: {
    severity: "info",
    means: "A member has no istiod.",
    cure: "None: Meshjoin installs it.",
  },
  ControlPlaneNotReady: {
    severity: "warning",
    means: "istiod of a member is not ready; the message has what its pods say.",
    cure: "`kubectl -n istio-system describe pods -l app=istiod`.",
  },
  ControlPlaneOutdated: {
    severity: "info",
    means: "istiod was installed from another manifest or configuration than the present one.",
    cure: "None: the full run applies the present one, member after member.",
  },
  DnsTokensNotAllowed: {
    severity: "error",
    means:
      "The DNS-based endpoint stands in remote secrets, and refuses the Kubernetes tokens that they carry.",
    cure: "Allow them (`--enable-k8s-tokens-via-dns`), or set `MESHJOIN_ACCESS_PEERS` to `private` or `public`.",
  },
  EndpointNotAvailable: {
    severity: "error",
    means: "A cluster has no endpoint of the kind that the configuration asks for.",
    cure: "Enable one, or change `MESHJOIN_ACCESS_FUNCTION` or `MESHJOIN_ACCESS_PEERS`.",
  },
  FieldConflict: {
    severity: "error",
    means: "Somebody else owns fields of Istio's objects that Meshjoin has to set; the message names who.",
    cure: "Let Meshjoin own them, or take the mesh label off.",
  },
  FirewallMissing: {
    severity: "error",
    means:
      "Pods of one member do not reach pods of another: no firewall rule of their VPC lets them, or one denies it. The pair is synced, and no request passes.",
    cure: "Run the `gcloud compute firewall-rules` command that the message comes with; it holds the pod ranges of all members. Or set `firewall` of the Terraform module.",
  },
  ForeignCacerts: {
    severity: "error",
    means:
      "The Secret `cacerts` is not Meshjoin's, and no workload of the mesh would trust it. The member does not join.",
    cure: "Import its root with a root rotation. Or delete the `cacerts`, which costs an outage: workloads do not trust each other until istiod and all of them have started anew.",
  },
  ForeignCacertsAccepted: {
    severity: "info",
    means:
      "The Secret `cacerts` is not Meshjoin's, and chains to the mesh's roots. It is used as it is, and never rotated.",
    cure: "None. Delete the `cacerts` to have Meshjoin issue and rotate one; that is an outage if istiod starts before the new one is there.",
  },
  ForeignControlPlane: {
    severity: "error",
    means: "istiod is not Meshjoin's, and does not belong to this mesh. The member does not join.",
    cure: "Take the mesh label off. Or uninstall it, or install it with the mesh ID, cluster name and network that the message names: either costs an outage, because istiod serves no running sidecar that knows another cluster name.",
  },
  ForeignControlPlaneAccepted: {
    severity: "info",
    means: "istiod is not Meshjoin's, and belongs to the mesh. Only its remote secrets are kept.",
    cure: "None. Uninstall it to have Meshjoin install one, an outage for every pod that starts meanwhile.",
  },
  ForeignReaderSecret: {
    severity: "error",
    means:
      "A Secret has the name that would stand for a reader, and is not Meshjoin's. It is left alone, and the pair is not made.",
    cure: "Delete or rename the Secret.",
  },
  ForeignRemoteSecret: {
    severity: "warning",
    means:
      "A remote secret for a member was made by somebody else. It is left alone, and the pair is theirs.",
    cure: "Delete it, and Meshjoin makes one.",
  },
  ImageNotPulled: {
    severity: "warning",
    means:
      "a node cannot get the image of istiod; the message has the image and the node's own words. It asks again by itself, and a join goes on " +
      "when it succeeds.",
    cure:
      "Private nodes reach no registry but Google's: give them Cloud NAT, or a mirror (`image_mirror` in Terraform, `MESHJOIN_ISTIO_HUB` " +
      "elsewhere). `not found`: the hub does not hold the pinned release. `403` or `denied`: the nodes' service account may not read the mirror. " +
      "`toomanyrequests`: Docker Hub's limit for one address; use a mirror.",
  },
  IstioVersionDiffers: {
    severity: "warning",
    means: "A member runs another version of Istio than the pinned one. It goes on, and so do its pairs.",
    cure: 'When it suits, confirm it: `POST /sync` with `confirm: ["IstioVersionDiffers"]`. The members are upgraded one by one.',
  },
  IstiodStuck: {
    severity: "error",
    means:
      "istiod still lists a cluster whose remote secret is gone: its secret controller does not move any more.",
    cure: "`kubectl -n istio-system rollout restart deployment/istiod`.",
  },
  ListingIncomplete: {
    severity: "warning",
    means:
      "Not all clusters of a source are known: it, or a part of it, did not answer. Nobody is removed on this account.",
    cure: "If it lasts: the API that the message is about, and Meshjoin's permissions there; `meshjoin doctor` has the command.",
  },
  ManagedMesh: {
    severity: "error",
    means: "Cloud Service Mesh manages the control plane of the cluster. It does not join.",
    cure: "Disable Cloud Service Mesh on it, or take the mesh label off.",
  },
  MassLeave: {
    severity: "error",
    means:
      "More members than `MESHJOIN_MASS_LEAVE_SHARE` allows seem to have left, on the word of labels or a list. Nothing is removed.",
    cure: 'If it is meant: `meshjoin sync --yes`, or `POST /sync` with `confirm: ["MassLeave"]`. If not: set the labels again.',
  },
  MemberLeft: {
    severity: "info",
    means:
      "A cluster is no member any more. An event removes what is proved, a deletion; a label that was taken off waits for the full run, which sees all that have left.",
    cure: "None: what the members hold of it is removed, by the next full run at the latest. At once: `meshjoin sync`.",
  },
  MemberUnreadable: {
    severity: "error",
    means:
      "Meshjoin does not know how to read what the cluster holds. The member is left alone; all others go on.",
    cure: "Look up the log of the run by the cluster's ID: it names the cause. Mend that object.",
  },
  NamespaceNotLabelled: {
    severity: "info",
    means: "`istio-system` does not carry the member's network and the mesh's labels.",
    cure: "None: Meshjoin labels it.",
  },
  NamespaceTerminating: {
    severity: "warning",
    means: "`istio-system` of a member is being deleted.",
    cure: "Wait until it is gone.",
  },
  NetworkConflict: {
    severity: "error",
    means: "`istio-system` is labelled with another network than the one that the cluster is in.",
    cure: "`kubectl label namespace istio-system topology.istio.io/network-`.",
  },
  NetworkNotShared: {
    severity: "warning",
    means:
      "Pods of two members cannot reach each other: they are in different VPCs, or one is not VPC-native. They are not paired.",
    cure: "Put them into one VPC, as VPC-native clusters.",
  },
  NoSigningRoot: {
    severity: "error",
    means: "No version of the root secret has the alias `signing`. Nothing is issued.",
    cure: "Give it to the version that is to sign; the message has the command.",
  },
  NotConfigured: {
    severity: "error",
    means:
      "Members hold credentials of a cluster that this configuration leaves out: it does not name the source, or `MESHJOIN_ALLOW` does not name the cluster. That is no word about the cluster, so nothing is removed, whatever the number.",
    cure: 'Set these variables as the functions have them. If the cluster is to leave: `meshjoin sync --confirm NotConfigured`, or `POST /sync` with `confirm: ["NotConfigured"]`.',
  },
  ObjectLeftOver: {
    severity: "warning",
    means:
      "An earlier manifest of Istio held an object that the present one does not. It is of the whole cluster, or of a kind that Meshjoin never deletes.",
    cure: "If nothing else in the cluster uses it, the finding's cure deletes it.",
  },
  ObjectPruned: {
    severity: "info",
    means: "An earlier manifest of Istio held an object that the present one does not.",
    cure: "None: the deep run has deleted it.",
  },
  OtherMesh: {
    severity: "error",
    means: "The cluster still holds the control plane of another mesh of Meshjoin. It does not join.",
    cure: "Set the label back to that mesh. Or delete its namespace `istio-system`, an outage of its workloads until each has started anew.",
  },
  PairNotSynced: {
    severity: "warning",
    means: "The remote secret is there, and istiod of the reader does not show the target as synced.",
    cure: "Check that pods of the reader reach the API server of the target; istiod logs why.",
  },
  PeerPending: {
    severity: "info",
    means: "A pair waits, because the other side has not finished its own half.",
    cure: "None: it pairs itself when it has.",
  },
  PermissionMissing: {
    severity: "error",
    means:
      "A deep run asked the API server of a member what its account is allowed, and something that Meshjoin needs is not.",
    cure: "Apply Terraform again: `terraform/modules/identity/permissions.tf` holds what each function needs. `meshjoin doctor --url URL` shows whether that was all.",
  },
  RemoteSecretDoubled: {
    severity: "warning",
    means:
      "istiod of a member reads two remote secrets for one cluster. It lists the cluster twice and counts each of its endpoints twice.",
    cure: "Delete the one that is not needed; if one of the two is Meshjoin's, the other: the finding names it.",
  },
  RemoteSecretMissing: {
    severity: "info",
    means: "A member has no credential of another one.",
    cure: "None: Meshjoin writes it.",
  },
  RemoteSecretOutdated: {
    severity: "info",
    means: "A credential is for an earlier address, an earlier cluster or an earlier reader Secret.",
    cure: "None: Meshjoin replaces it.",
  },
  RevocationWaits: {
    severity: "warning",
    means:
      "A cluster has left, and a reader that this run did not see, or that is no member of this configuration, may read it still. The token for that stays: one that ends before its remote secret is gone can bring the reader's istiod to a stop.",
    cure: "None, if a later full run sees the reader. Otherwise make its source answer, add it to the configuration, or mend its API server.",
  },
  RollOutStopped: {
    severity: "error",
    means: "A changed manifest was not well on a member, so the healthy ones after it keep the one before.",
    cure: "Mend that member, or build with the manifest before. The next full run goes on when the mesh is whole.",
  },
  RollOutWaits: {
    severity: "warning",
    means: "A changed manifest goes to members only when the mesh is whole, and it is not.",
    cure: "Mend what the other findings name.",
  },
  RootExpiring: {
    severity: "error",
    means: "An intermediate CA is due, and another one from the same root would not live longer.",
    cure: "`meshjoin root rotate`.",
  },
  RootMissing: {
    severity: "error",
    means:
      "A member trusts a root that no alias names and no rotation has retired: somebody has edited the aliases. The member keeps what it has, because its workloads may still need that root.",
    cure: "Give the version its alias back: `signing`, or `previous` if another signs now.",
  },
  RootNotDistributed: {
    severity: "error",
    means:
      "The root that is to sign is one that a member does not trust yet: a stage of the rotation was skipped.",
    cure: "Let the root that signed before sign, and give the new one the alias `next`; then it is distributed first.",
  },
  RootRotationDue: {
    severity: "error",
    means:
      "The root ends so soon that a rotation must begin now, or Secret Manager's schedule says so, and Meshjoin did not make that root.",
    cure: "Bring the next one: `meshjoin root import`; or have one made: `meshjoin root rotate`.",
  },
  RotationHeld: {
    severity: "warning",
    means: "Members are due for another intermediate CA, and wait until one that has a new one serves it.",
    cure: "See what the finding of that member says. The next full run goes on.",
  },
  RotationMissed: {
    severity: "error",
    means:
      "A cluster that was no member while the root was rotated has joined again, with a CA of the root that has left. Nobody else trusts it.",
    cure: "Its workloads have to be cut off once, which is an outage: delete its Secret `cacerts`, and when Meshjoin has issued another, restart istiod and the workloads.",
  },
  RotationStopped: {
    severity: "error",
    means: "A member did not come out whole with its new intermediate CA, so no other gets one for now.",
    cure: "Mend what its findings name. The next full run goes on.",
  },
  RunFailed: {
    severity: "error",
    means: "Something was refused in the middle of the work on a member, and asking again will not help.",
    cure: "Mend what the message names; the next full run repeats it.",
  },
  RunInterrupted: {
    severity: "warning",
    means: "Something was in the way in the middle of the work on a member.",
    cure: "None: it is tried again.",
  },
  SelfSignedMesh: {
    severity: "error",
    means:
      "An istiod with a self-signed CA runs in the cluster. It does not join: a new CA would cut its workloads off.",
    cure: "Take the mesh label off. Or uninstall that istiod and its workloads' sidecars, an outage of whatever relies on them.",
  },
  StageOverdue: {
    severity: "warning",
    means:
      "A stage of a root rotation lasts, or is going to last, longer than two lives of a workload's certificate: a member holds it up, or has loaded its certificate late.",
    cure: "`meshjoin root status` names what it waits for.",
  },
  StillRunning: {
    severity: "info",
    means: "A deletion has begun, and GKE still calls the cluster running.",
    cure: "None: the end of the deletion, or the next full run, finishes it.",
  },
  StolenIntermediateTrusted: {
    severity: "warning",
    means:
      "Intermediates were replaced because they are not to be trusted any more. Whoever has stolen one can sign with it until it expires.",
    cure: "`meshjoin root rotate`: the mesh stops trusting it when the old root has left.",
  },
  TokenDue: {
    severity: "info",
    means: "The token of a credential has used up its time.",
    cure: "None: Meshjoin renews it.",
  },
  TokenExpiring: {
    severity: "warning",
    means: "The token of a credential has used up three quarters of its life and more, and was not renewed.",
    cure: "See in the log of `sync-mesh` why; `meshjoin sync` renews it.",
  },
  TrustedLeaver: {
    severity: "warning",
    means:
      "A cluster has left without being deleted. It still holds a CA that the members trust until the date in the message.",
    cure: "If it is not to be trusted: rotate the root.",
  },
  UnclaimedRootVersion: {
    severity: "warning",
    means:
      "A version of the root secret is enabled and has no role: somebody has added it, or a rotation that had just begun has died.",
    cure: "If nobody needs it, disable it. To make it a root, use `meshjoin root import`.",
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

export type Reason = keyof typeof REASONS;
