/** `error`: a person must act before the mesh is whole. `warning`: time, or a later run, may end it. */
export type Severity = "info" | "warning" | "error";

/** The general words for a reason; a finding's own message and cure describe the case. */
export interface ReasonEntry {
  readonly severity: Severity;
  readonly means: string;
  readonly cure: string;
}

/** A full run of the function `sync-mesh` that acts on the findings of a reason. */
function confirmed(reason: string): string {
  return `\`curl --oauth2-bearer "$(gcloud auth print-identity-token)" -H "content-type: application/json" -d '{"confirm":["${reason}"]}' URL/sync\``;
}

/**
 * All reasons of findings. A reason is stable: alerts, tests and runbooks match on it.
 * docs/reference/reasons.md is generated from this.
 */
export const REASONS = {
  AbsenceNotProved: {
    severity: "warning",
    means:
      "Members hold credentials of a cluster that is no member now, and nothing proves that it has left: its source is silent, refuses Meshjoin, or gives the cluster a status like ERROR. Meshjoin removes nothing.",
    cure: "Do what the finding's cure says; the message says which of the three it is.",
  },
  AccountFault: {
    severity: "error",
    means:
      "In a deep run the rotator or the signer examined its own account and found a fault. Its next work would fail.",
    cure: "Do what the finding's cure says; then `meshjoin doctor --url URL` shows whether that was all.",
  },
  AccountUnknown: {
    severity: "warning",
    means: "In a deep run the rotator or the signer could not examine its own account, or only a part of it.",
    cure: "See the log of `examine-rotator` or `sign-intermediate`, and ask again: `meshjoin doctor --url URL`.",
  },
  ApiServerRefused: {
    severity: "error",
    means: "The API server of a member refuses a request of Meshjoin.",
    cure: "Grant the service account the permission that the message names; `meshjoin doctor` has the command.",
  },
  ApiServerUnreachable: {
    severity: "warning",
    means:
      "The API server of a member does not answer, or is in trouble of its own. Meshjoin knows nothing of the member. Requests to it go on, to the pods that the other members' istiods saw last: they see no new pod there, and none that is gone, and go on calling it synced. An istiod of another member that restarts meanwhile is not ready for half a minute, and then takes the member's pods from its workloads.",
    cure: "If it lasts, check the cluster's health, its authorized networks, and `MESHJOIN_ACCESS_FUNCTION`. Each full run looks again. `meshjoin drain CLUSTER` sends it no more requests. Restart no istiod of another member before it answers, unless it is drained.",
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
    means: "A member's `cacerts` is for other root versions than the mesh has now.",
    cure: "None: Meshjoin issues a new one.",
  },
  CertificateDue: {
    severity: "info",
    means: "Two thirds of the life of an intermediate CA are over, or an order asks for another.",
    cure: "None: a full run issues another, a share of the members at a time.",
  },
  CertificateExpiring: {
    severity: "error",
    means: "Less than a sixth of the life of an intermediate CA is left, and nothing has renewed it.",
    cure: "Find the cause in the logs of `sync-mesh` and `on-rotation-request`, then run `meshjoin rotate --cluster CLUSTER`. Meshjoin renews this one even where another member holds a rotation up.",
  },
  CertificateLoading: {
    severity: "info",
    means:
      "istiod does not serve its new intermediate CA yet, which Meshjoin wrote less than three minutes ago.",
    cure: "None: a kubelet takes up to two minutes to bring a changed Secret to the pod.",
  },
  CertificateNotLoaded: {
    severity: "error",
    means: "istiod serves another intermediate CA than the one that Meshjoin wrote for it.",
    cure: "`kubectl -n istio-system logs deploy/istiod` says why; `kubectl -n istio-system rollout restart deployment/istiod` makes istiod read the Secret again; not while the API server of another member is silent (`ApiServerUnreachable`): istiod would lose that member's pods.",
  },
  CertificatesEnd: {
    severity: "error",
    means:
      "No istiod of a member answers, for longer than a restart takes, so its workloads get no other certificates. Those that they have end one after the other, and then requests to and from them fail. The message has the time before which none ends. Pods that started with another `MESHJOIN_WORKLOAD_TTL` keep that.",
    cure: "Bring istiod back: `kubectl -n istio-system describe pods -l app=istiod` says why it is away. Workloads whose certificate has ended get another by themselves.",
  },
  ClusterIdCollision: {
    severity: "error",
    means: "Two members would have the same cluster ID. Neither joins.",
    cure: "Recreate one under another name, or take its label off.",
  },
  ComingBack: {
    severity: "info",
    means:
      "The drain of a member is over, and some readers have no remote secret for it yet: they take it back a share at a time, the next when the share before lists it as synced.",
    cure: "None: the next run goes on. If it lasts, follow the cures of the member's other findings.",
  },
  ControlPlaneEdited: {
    severity: "info",
    means:
      "Another field manager has changed a field of Istio's objects that Meshjoin sets; a deep run has seen it.",
    cure: "None: Meshjoin has set it back. If the other manager changes it again, Meshjoin yields and names it (`FieldConflict`).",
  },
  ControlPlaneMissing: {
    severity: "info",
    means: "A member has no istiod.",
    cure: "None: Meshjoin installs it.",
  },
  ControlPlaneNotReady: {
    severity: "warning",
    means: "istiod of a member is not ready; the message has the conditions of its pods.",
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
      "Remote secrets name the DNS-based endpoint, and that endpoint refuses the Kubernetes tokens in them.",
    cure: "Allow them (`--enable-k8s-tokens-via-dns`), or set `MESHJOIN_ACCESS_PEERS` to `private` or `public`.",
  },
  EndpointNotAvailable: {
    severity: "error",
    means: "A cluster has no endpoint of the kind that the configuration asks for.",
    cure: "Enable one, or change `MESHJOIN_ACCESS_FUNCTION` or `MESHJOIN_ACCESS_PEERS`.",
  },
  DrainHeldBack: {
    severity: "warning",
    means:
      "A member has been silent for longer than `MESHJOIN_DRAIN_AFTER`, and Meshjoin does not drain it, because something speaks against it; the message says what: requests still get through to it, GKE operates on the cluster, most members are silent, too many would be drained, or too few peers take the note since when it is silent.",
    cure: "See whether requests pass: `meshjoin check`. If peers refuse the note, let them take it, as the message says. If the member is dead: `meshjoin drain CLUSTER`.",
  },
  DrainIncomplete: {
    severity: "warning",
    means:
      "A member cannot be reached while another one is drained. It may still hold a remote secret of the drained one, and send it requests.",
    cure: "None, if it passes: the next full run that reaches the member takes the remote secret away.",
  },
  DrainNoteForeign: {
    severity: "warning",
    means:
      "A Secret has the name of the note of a drain, and is not Meshjoin's. That member keeps no note of the drain; the others do.",
    cure: "Delete or rename the Secret.",
  },
  DrainOver: {
    severity: "info",
    means:
      "The drain of a member is over. The note of that stays until every member was read and none has an older one.",
    cure: "None: the readers take the member back, a share at a time.",
  },
  DrainUnknown: {
    severity: "error",
    means:
      "A note of a drain was edited and says nothing that Meshjoin understands. By it Meshjoin neither drains nor undrains: pairs that are there stay, and no new one is made.",
    cure: "Say what it should be: `meshjoin drain CLUSTER` or `meshjoin undrain CLUSTER`.",
  },
  Drained: {
    severity: "info",
    means:
      "A person has drained a member, by command or by label. Its peers hold no remote secret of it and send it no new requests; it goes on sending to them.",
    cure: "None. To bring it back: `meshjoin undrain CLUSTER`.",
  },
  DrainedAutomatically: {
    severity: "warning",
    means:
      "Meshjoin has drained a member by itself: it was silent for longer than `MESHJOIN_DRAIN_AFTER`, and no request of most of its peers got through. Its peers send it no new requests.",
    cure: "Mend the cluster. Meshjoin brings it back when it has answered for twice that time without a break; `meshjoin undrain CLUSTER` does at once, and `meshjoin drain CLUSTER` keeps it drained.",
  },
  DrainsTogether: {
    severity: "error",
    means:
      "Different members were drained at the same time, each by a run that did not see the other, and together they are more than `MESHJOIN_DRAIN_SHARE` allows, or the last that serve in a network or in the mesh. All stay drained.",
    cure: "If that is not meant, agree on one and bring it back: `meshjoin undrain CLUSTER`.",
  },
  FailoverOff: {
    severity: "warning",
    means:
      "`doctor` found Services that several members have, with a DestinationRule of their own that takes failover away. For each request istiod takes one rule alone, and inherits nothing of Meshjoin's (docs/failover.md).",
    cure: "Give that rule an `outlierDetection`; or say in it that it is meant: `trafficPolicy.loadBalancer.localityLbSetting.enabled: false`.",
  },
  FieldConflict: {
    severity: "error",
    means:
      "Another field manager owns fields of Istio's objects that Meshjoin must set; the message names it.",
    cure: "Let Meshjoin own them, or take the mesh label off.",
  },
  FirewallMissing: {
    severity: "error",
    means:
      "Pods of one member do not reach pods of another: no firewall rule of their VPC allows it, or one denies it. The pair is synced, but no request passes.",
    cure: "Run the finding's `gcloud compute firewall-rules` command; it has the pod ranges of all members. Or set `firewall` of the Terraform module.",
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
      "The Secret `cacerts` is not Meshjoin's, and chains to the mesh's roots. Meshjoin accepts it and never rotates it.",
    cure: "None. Delete the `cacerts` to have Meshjoin issue and rotate one; that is an outage if istiod starts before the new one is there.",
  },
  ForeignControlPlane: {
    severity: "error",
    means: "istiod is not Meshjoin's, and does not belong to this mesh. The member does not join.",
    cure: "Take the mesh label off. Or uninstall it, or install it with the mesh ID, cluster name and network that the message names: either costs an outage, because istiod serves no running sidecar that knows another cluster name.",
  },
  ForeignControlPlaneAccepted: {
    severity: "info",
    means:
      "istiod is not Meshjoin's, and belongs to the mesh. Meshjoin keeps its remote secrets and nothing else.",
    cure: "None. Uninstall it to have Meshjoin install one, an outage for every pod that starts meanwhile.",
  },
  ForeignReaderSecret: {
    severity: "error",
    means:
      "A Secret has the name of a reader Secret, and is not Meshjoin's. Meshjoin leaves it alone and does not make the pair.",
    cure: "Delete or rename the Secret.",
  },
  ForeignRemoteSecret: {
    severity: "warning",
    means:
      "A person or another tool made a remote secret for a member. Meshjoin leaves it alone and does not keep that pair.",
    cure: "Delete it, then Meshjoin makes one.",
  },
  GatewayApiUnavailable: {
    severity: "error",
    means:
      "The API server of a member has no Gateway API, and Meshjoin may not install its definitions. The member gets no gateway, so members of other networks do not reach it.",
    cure: "Let GKE bring it: `gcloud container clusters update NAME --gateway-api=standard`; or grant the permission that the message names.",
  },
  GatewayInUse: {
    severity: "warning",
    means:
      "By its label or the configuration a member should have no gateway, or one of another exposure, and members read it that would lose their way with that. Meshjoin keeps the gateway that is there.",
    cure: `Set the label \`mesh_gateway\` or the configuration back. Or end those pairs: \`meshjoin sync --confirm GatewayInUse\`, or over HTTP, ${confirmed("GatewayInUse")}. Their remote secrets go first, and requests between those members end; then the gateway goes.`,
  },
  GatewayLost: {
    severity: "error",
    means:
      "No gateway of a member's network is up any more. Meshjoin takes the remote secrets away with which workloads of other networks would get addresses that they cannot reach.",
    cure: "See why with `kubectl -n istio-system describe gateways.gateway.networking.k8s.io meshjoin-eastwest`; Meshjoin makes the pairs again when the gateway is up.",
  },
  GatewayMissing: {
    severity: "info",
    means: "A member has no gateway for members of other networks, or one of earlier settings.",
    cure: "None: Meshjoin installs it.",
  },
  GatewayNotListed: {
    severity: "warning",
    means:
      "A gateway of the target's network is up, and an istiod of the reader does not list it, or only at an earlier address. So its workloads may get addresses that they cannot reach.",
    cure: "See the log of the reader's istiod; each full run asks again.",
  },
  GatewayNotNeeded: {
    severity: "info",
    means: "A member has a gateway, and no member of another network uses it.",
    cure: "None: Meshjoin removes it.",
  },
  GatewayPending: {
    severity: "info",
    means:
      "No gateway of the target's network is up yet: its load balancer has no address, or none of its pods is ready. The pair waits.",
    cure: "None, while the load balancer gets an address; that takes a minute or two.",
  },
  ImageNotPulled: {
    severity: "warning",
    means:
      "A node cannot get the image of istiod; the message has the image and the node's own words. The node tries again by itself, and a join goes on " +
      "when it succeeds.",
    cure:
      "Private nodes reach no registry but Google's: give them Cloud NAT, or a mirror (`image_mirror` in Terraform, `MESHJOIN_ISTIO_HUB` " +
      "elsewhere). `not found`: the hub does not hold the pinned release. `403` or `denied`: the nodes' service account may not read the mirror. " +
      "`toomanyrequests`: Docker Hub's limit for one address; use a mirror.",
  },
  IstioVersionDiffers: {
    severity: "warning",
    means: "A member runs another version of Istio than the pinned one. The member and its pairs go on.",
    cure: `When it suits: \`meshjoin upgrade\`, one member after the other; or over HTTP, ${confirmed("IstioVersionDiffers")}.`,
  },
  IstiodStuck: {
    severity: "error",
    means: "istiod still lists a cluster whose remote secret is gone: its secret controller has stopped.",
    cure: "`kubectl -n istio-system rollout restart deployment/istiod`; not while the API server of another member is silent (`ApiServerUnreachable`): istiod would lose that member's pods.",
  },
  IngressForeign: {
    severity: "warning",
    means:
      "The configuration wants an ingress in each member, and the Gateway `meshjoin-ingress`, its options or the namespace `istio-ingress` of this one is somebody else's. Meshjoin leaves it alone.",
    cure: "Give that object another name, or delete it, which is an outage of what relies on it; or set `MESHJOIN_INGRESS=off`.",
  },
  IngressGatewayIgnored: {
    severity: "warning",
    means:
      "An Istio Gateway selects the pods of the ingress from another namespace than `istio-ingress`. istiod passes over it in silence, so its hosts answer 404. `meshjoin doctor` looks for it.",
    cure: "Move the Gateway into `istio-ingress`, and name it so in its VirtualServices: `gateways: [istio-ingress/NAME]`.",
  },
  IngressInUse: {
    severity: "warning",
    means:
      "The configuration wants no ingress any more, and a member has one with an address, or with pods that serve; or no port 443, and a member's ingress has one; or port 443 with another Secret, which is not there yet. Nothing proves that nobody sends requests there, so Meshjoin keeps it. A deep run looks for it.",
    cure: `Set \`MESHJOIN_INGRESS=on\` to keep it, or \`MESHJOIN_INGRESS_TLS_SECRET\` as it was to keep port 443; or put the Secret there. Or end it: \`meshjoin sync --confirm IngressInUse\`, or over HTTP, ${confirmed("IngressInUse")}. That ends every request from outside, and the load balancer gives its address back.`,
  },
  IngressMissing: {
    severity: "info",
    means: "A member has no ingress, or one of earlier settings.",
    cure: "None: Meshjoin installs it.",
  },
  IngressNotNeeded: {
    severity: "info",
    means: "A member has an ingress that the configuration wants no more.",
    cure: "None: Meshjoin removes it.",
  },
  IngressPending: {
    severity: "warning",
    means:
      "The ingress of a member takes no requests: its load balancer has no address, or none of its pods is ready.",
    cure: "None, while the load balancer gets an address; that takes a minute or two. Otherwise `kubectl -n istio-ingress describe service meshjoin-ingress-istio` says why.",
  },
  IngressTlsMissing: {
    severity: "error",
    means:
      "istiod does not serve port 443 of a member's ingress, because the Secret that `MESHJOIN_INGRESS_TLS_SECRET` names is not there or holds no certificate. Port 80 goes on.",
    cure: "`kubectl -n istio-ingress create secret tls NAME --cert=FILE --key=FILE` in that member; istiod takes it up at once.",
  },
  LastGatewayOutdated: {
    severity: "info",
    means:
      "A member that reads a cluster of another network does not hold the address of that cluster's gateway in a `Gateway` of class `istio-remote`, or holds an earlier one, or one that it should not.",
    cure: "None: Meshjoin writes it, or takes it away.",
  },
  ListingIncomplete: {
    severity: "warning",
    means:
      "A source, or a part of it, did not answer, so Meshjoin does not know all its clusters. It removes none because of that.",
    cure: "If it lasts, check the API in the message, and Meshjoin's permissions there; `meshjoin doctor` has the command.",
  },
  JoinOverdue: {
    severity: "warning",
    means:
      "A member has waited for longer than usual, a quarter of an hour: a note of the last run has become old.",
    cure: "Do what the finding's cure says. If it says nothing, see the log of `sync-mesh` for the member.",
  },
  ManagedMesh: {
    severity: "error",
    means: "Cloud Service Mesh manages the control plane of the cluster. It does not join.",
    cure: "Disable Cloud Service Mesh on it, or take the mesh label off.",
  },
  LostMembersUnknown: {
    severity: "warning",
    means:
      "No member is left that could be asked about clusters that have left, and a cluster without the label did not say whether it was a member.",
    cure: "Make its API server answer; `meshjoin doctor` says what keeps Meshjoin from it. If it never was a member, nothing is wrong.",
  },
  MassDrain: {
    severity: "error",
    means:
      "More members than `MESHJOIN_DRAIN_SHARE` allows would be drained, or the last one that serves in a network or in the mesh. Meshjoin drains none of the new ones.",
    cure: `Take the label \`mesh_state\` off those that should serve. If all are to be drained: \`meshjoin sync --confirm MassDrain\`; or over HTTP, ${confirmed("MassDrain")}.`,
  },
  MassLeave: {
    severity: "error",
    means:
      "More members than `MESHJOIN_MASS_LEAVE_SHARE` allows have lost their label within `MESHJOIN_LEAVE_GRACE`, or all have. Meshjoin removes nothing.",
    cure:
      "Take them back, as the finding `MemberLost` of each says. If they should leave: `meshjoin sync --yes`, which also removes those at " +
      `once that are within the grace; or over HTTP, ${confirmed("MassLeave")}.`,
  },
  MemberBack: {
    severity: "info",
    means: "A cluster that had lost its label is a member again, before its credentials were removed.",
    cure: "None: Meshjoin takes the note of the loss off.",
  },
  MemberLeft: {
    severity: "info",
    means:
      "A cluster is no member any more. An event removes one that is proved to be deleted; for any other a full run decides, which sees all that have left.",
    cure: "None: a full run removes the members' credentials of it, or says what it waits for.",
  },
  MemberAnswers: {
    severity: "info",
    means:
      "A member that was silent answers again, or `MESHJOIN_DRAIN_AFTER` is off. Its peers' notes follow.",
    cure: "None: Meshjoin keeps these notes.",
  },
  MemberLost: {
    severity: "error",
    means:
      "A member has lost its label, or has another one, and was neither deleted nor taken out with `meshjoin leave`. Often another label was set with gcloud, whose `--update-labels` replaces all labels. The members keep their credentials of it for `MESHJOIN_LEAVE_GRACE`.",
    cure: "To take it back: `meshjoin label CLUSTER`; nothing was lost then. If it should leave: `meshjoin leave CLUSTER`, at once.",
  },
  MemberSilent: {
    severity: "info",
    means: "A member does not answer, and `MESHJOIN_DRAIN_AFTER` is set. Its peers note since when.",
    cure: "See its other findings. If it lasts, and no request gets through to it, Meshjoin drains it.",
  },
  MemberUnreadable: {
    severity: "error",
    means:
      "Meshjoin cannot read an object of the cluster. It leaves the member alone and goes on with all others.",
    cure: "Look up the log of the run by the cluster's ID: it names the object. Mend that.",
  },
  NamespaceNotLabelled: {
    severity: "info",
    means: "`istio-system` does not carry the member's network and the mesh's labels.",
    cure: "None: Meshjoin labels it.",
  },
  NamespaceTerminating: {
    severity: "warning",
    means: "A person or a tool is deleting `istio-system` of a member.",
    cure: "Wait until it is gone.",
  },
  NetworkChanges: {
    severity: "warning",
    means:
      "A cluster that has joined has another network now by its label `mesh_network`. Meshjoin follows when a person confirms it, because every workload has to start anew then. The message says what a change that has begun waits for, or why it is refused.",
    cure: `\`meshjoin sync --confirm NetworkChanges\`, or over HTTP, ${confirmed("NetworkChanges")}. Or set the label back: \`meshjoin label CLUSTER --network=NAME\`, or \`--no-network\`.`,
  },
  NetworkConflict: {
    severity: "error",
    means: "The label of `istio-system` names another network than the cluster's.",
    cure: "`kubectl label namespace istio-system topology.istio.io/network-`.",
  },
  NetworkLabelInvalid: {
    severity: "error",
    means:
      "Label `mesh_network` or `mesh_gateway` of a cluster has a value that Meshjoin does not take. A cluster that has not joined waits; one that has joined stays as it is.",
    cure: "Set a value of the form that the finding names: `meshjoin label CLUSTER --network=NAME`, or `--gateway=EXPOSURE`.",
  },
  NetworkNotShared: {
    severity: "warning",
    means:
      "Pods of two members cannot reach each other, and no gateway may lead from one to the other. Meshjoin does not pair them.",
    cure: "Do what the finding's cure says: it names the variable, the label or the cluster that stands in the way.",
  },
  NetworksNotConnected: {
    severity: "warning",
    means:
      "Two members are in different networks, the gateways between them are internal, and no configuration says that the networks reach each other. Meshjoin does not pair the members.",
    cure: "Name the networks in `MESHJOIN_CONNECTED_NETWORKS` if peering, VPN or Interconnect connects them; or give a cluster of the target's network an external gateway: `meshjoin label CLUSTER --gateway=external`.",
  },
  NoSigningRoot: {
    severity: "error",
    means: "No version of the root secret has the alias `signing`, so Meshjoin issues nothing.",
    cure: "Give it to the version that should sign; the finding's cure has the command.",
  },
  NotConfigured: {
    severity: "error",
    means:
      "Members hold credentials of a cluster that this configuration leaves out: it does not name the source, or `MESHJOIN_ALLOW` does not name the cluster. That says nothing about the cluster, so Meshjoin removes none, however few there are.",
    cure: `Set these variables as the functions have them. If the cluster should leave: \`meshjoin sync --confirm NotConfigured\`; or over HTTP, ${confirmed("NotConfigured")}.`,
  },
  ObjectLeftOver: {
    severity: "warning",
    means:
      "An earlier manifest of Istio held an object that the present one does not. It is cluster-scoped, or of a kind that Meshjoin never deletes.",
    cure: "If nothing else in the cluster uses it, run the finding's command, which deletes it.",
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
  ProbeMissing: {
    severity: "info",
    means: "A member has no probe, or one of an earlier mesh or release, and `MESHJOIN_PROBE` is `on`.",
    cure: "None: Meshjoin writes it.",
  },
  ProbeNotNeeded: {
    severity: "info",
    means: "A member has a probe, and neither the configuration nor a check wants it any more.",
    cure: "None: Meshjoin removes it.",
  },
  PeerPending: {
    severity: "info",
    means: "A pair waits, because the other member has not finished its own half.",
    cure: "None: that member makes the pair when it has.",
  },
  PermissionMissing: {
    severity: "error",
    means:
      "A deep run asked the API server of a member for the rights of Meshjoin's account, and one that Meshjoin needs is missing.",
    cure: "Apply Terraform again: `terraform/modules/identity/permissions.tf` holds what each function needs. `meshjoin doctor --url URL` shows whether that was all.",
  },
  ProxiesOutdated: {
    severity: "warning",
    means:
      "Proxies of a member are of another release of Istio than its istiod, because their pods started before an upgrade; or they have not taken the mesh's roots, which istiod sent them minutes ago. A deep run counts those that are connected to istiod, and so does `meshjoin doctor`, which also counts those whose image is from another registry (`MESHJOIN_ISTIO_HUB`).",
    cure: "Restart their workloads, when it suits: the finding counts them, and has the commands, `kubectl rollout restart`. Proxies that do not take the roots must start anew before a root rotation goes on.",
  },
  PodsInFormerNetwork: {
    severity: "warning",
    means:
      "A cluster has changed its network, and pods that started before are still in the former one: their sidecars see the mesh from there. The gateway of that network stays for them.",
    cure: "Restart their workloads; the finding counts those that are left, and has the commands, `kubectl rollout restart`.",
  },
  RemoteSecretDoubled: {
    severity: "warning",
    means:
      "istiod of a member reads two remote secrets for one cluster. It lists the cluster twice and counts each of its endpoints twice.",
    cure: "Delete the one that is not needed. If one of the two is Meshjoin's, delete the other: the finding names it.",
  },
  RemoteSecretMissing: {
    severity: "info",
    means: "A member has no remote secret for a peer.",
    cure: "None: Meshjoin writes it.",
  },
  RemoteSecretOutdated: {
    severity: "info",
    means: "A remote secret is for an earlier address, an earlier cluster or an earlier reader Secret.",
    cure: "None: Meshjoin replaces it.",
  },
  RequestsFail: {
    severity: "error",
    means:
      "istiod of the reader shows the target as synced, and a request from the reader's probe to the target's does not pass. Requests of workloads most likely fail, too.",
    cure: "The message names the likely cause, and the finding has the command for it; `meshjoin check` asks again at once.",
  },
  RequestsUnknown: {
    severity: "warning",
    means:
      "The probe of a member could not be asked about another member, or its answer does not tell: nothing is known of these requests.",
    cure: "The finding has the command that shows why; each full run asks again.",
  },
  RevocationWaits: {
    severity: "warning",
    means:
      "A cluster has left, and a reader that this run did not see, or that this configuration leaves out, may still read it. Meshjoin keeps the reader's token: one that ends before its remote secret is gone can stop the reader's istiod.",
    cure: "None, if a later full run sees the reader. Otherwise make its source answer, add it to the configuration, or mend its API server.",
  },
  RollOutStopped: {
    severity: "error",
    means:
      "A member was not healthy with a changed manifest, so the healthy ones after it keep the earlier manifest.",
    cure: "Mend that member, or build with the earlier manifest. The next full run goes on when the mesh is healthy.",
  },
  RollOutWaits: {
    severity: "warning",
    means:
      "A changed manifest waits. Either the mesh is not healthy; or the finding names a cluster, a member or one that was lost, whose API server does not answer or cannot be asked, and whose pods a restarted istiod would not know: its workloads would send no request to them any more. Members whose istiods know nothing of the silent one go on.",
    cure: `Mend what the other findings name. A silent member holds its readers up until it answers, until it is drained (\`meshjoin drain CLUSTER\`), or until a person confirms the loss: \`meshjoin upgrade --confirm RollOutWaits\`, \`meshjoin sync --confirm RollOutWaits\`, or over HTTP, ${confirmed("RollOutWaits")}.`,
  },
  RootExpiring: {
    severity: "error",
    means: "The root ends so soon that a new intermediate CA would hardly last longer than the old one.",
    cure: "`meshjoin root rotate`. If a rotation is under way: `meshjoin root status` says what it waits for.",
  },
  RootMissing: {
    severity: "error",
    means:
      "A member trusts a root that no alias names and no rotation has retired: a person or a tool has edited the aliases. The member keeps its `cacerts`, because its workloads may still need that root.",
    cure: "Give the version its alias back: `signing`, or `previous` if another signs now.",
  },
  RootNotDistributed: {
    severity: "error",
    means:
      "The alias `signing` names a root that a member does not trust yet: a person or a tool has skipped a stage of the rotation.",
    cure: "Give the alias `signing` back to the root that had it, and `next` to the new one; then the rotator distributes it first.",
  },
  RootRotationDue: {
    severity: "error",
    means:
      "The root ends so soon that a rotation must begin now, or Secret Manager's schedule says so, and Meshjoin did not make that root.",
    cure: "Import the next one: `meshjoin root import`. Or let Meshjoin make it: `meshjoin root rotate`.",
  },
  RotationHeld: {
    severity: "warning",
    means:
      "Members are due for another intermediate CA, and wait until the members that already have one serve it.",
    cure: "Do what the findings of those members say. The next full run goes on.",
  },
  RotationMissed: {
    severity: "error",
    means:
      "A cluster that was no member during a root rotation has joined again, with a CA of the root that has left. No other member trusts it.",
    cure: "Cut its workloads off once, which is an outage: delete its Secret `cacerts`, and when Meshjoin has issued another, restart istiod and the workloads.",
  },
  RotationStopped: {
    severity: "error",
    means: "A member is not healthy with its new intermediate CA, so no other gets one for now.",
    cure: "Mend what its findings name. The next full run goes on.",
  },
  RotationPaused: {
    severity: "warning",
    means: "A person paused the root rotation. Its stages do not follow each other.",
    cure: "`meshjoin root resume`.",
  },
  RunFailed: {
    severity: "error",
    means: "An API refused a request in the middle of the work on a member, and asking again will not help.",
    cure: "Mend what the message names; the next full run repeats it.",
  },
  RunInterrupted: {
    severity: "warning",
    means: "A passing fault stopped the work on a member.",
    cure: "None: Meshjoin tries again.",
  },
  RunSilent: {
    severity: "warning",
    means:
      "The functions have noted no full run, or no tick, for two and a half hours, or never. Nobody repairs or renews anything meanwhile.",
    cure: "Look at the scheduler's jobs and the functions' logs. `meshjoin sync` does one full run by hand.",
  },
  ScaledToZero: {
    severity: "error",
    means: "A person or a controller has scaled istiod of a member to 0. No autoscaler brings it back.",
    cure: "`kubectl -n istio-system scale deployment istiod --replicas=1`; the autoscaler goes on from there.",
  },
  SelfSignedMesh: {
    severity: "error",
    means:
      "An istiod with a self-signed CA runs in the cluster. It does not join: a new CA would cut its workloads off.",
    cure: "Take the mesh label off. Or uninstall that istiod and its workloads' sidecars, an outage of all that relies on them.",
  },
  SigningRootUnknown: {
    severity: "warning",
    means:
      "Meshjoin cannot tell whether the root can sign: Secret Manager or the signer refuses or is silent.",
    cure: "Do what the finding's cure says. A missing permission comes with the module `identity` of this version.",
  },
  SigningRootUnusable: {
    severity: "error",
    means:
      "The version of the root secret that signs, or another one in the trust bundle, is disabled or destroyed, or the signer cannot read or use it. No cluster can join, and no intermediate CA can be renewed.",
    cure: "Do what the finding's cure says. A disabled version: `gcloud secrets versions enable`. A destroyed one does not come back: import or make another root; one that is to sign next: `meshjoin root abort`.",
  },
  StageOverdue: {
    severity: "warning",
    means:
      "A stage of a root rotation takes, or will take, longer than two lives of a workload's certificate: a member holds it up, or loaded its certificate late.",
    cure: "Mend what it waits for: `meshjoin root status` names it.",
  },
  StateLabelInvalid: {
    severity: "warning",
    means: "The label `mesh_state` of a cluster has another value than `drained`. It drains nothing.",
    cure: "Set it to `drained`, or take it off: `meshjoin undrain CLUSTER` does.",
  },
  StillRunning: {
    severity: "info",
    means: "A deletion has begun, and GKE still calls the cluster running.",
    cure: "None: the end of the deletion, or the next full run, finishes it.",
  },
  StolenIntermediateTrusted: {
    severity: "warning",
    means:
      "Meshjoin has replaced intermediates that a person ordered out of use (`compromise`). A thief can sign with a stolen one until it expires.",
    cure: "`meshjoin root rotate`: the mesh stops trusting it when the old root has left.",
  },
  TokenDue: {
    severity: "info",
    means: "The token in a remote secret is due for renewal.",
    cure: "None: Meshjoin renews it.",
  },
  TokenExpiring: {
    severity: "warning",
    means:
      "Three quarters of the life of a token in a remote secret are over, and Meshjoin could not renew it.",
    cure: "Find the cause in the log of `sync-mesh`; `meshjoin sync` renews the token.",
  },
  TrafficDefaultsDiffer: {
    severity: "warning",
    means:
      "The rule that says where requests go while several members have endpoints of a Service (`MESHJOIN_FAILOVER`) is missing in a member whose istiod runs, or was written by another configuration or release, or is there though nobody wants it. Meshjoin follows when a person confirms it, because it changes where requests of every workload go.",
    cure: `When it suits, \`meshjoin sync --confirm TrafficDefaultsDiffer\`, with \`--cluster CLUSTER\` for one member alone, or over HTTP, ${confirmed("TrafficDefaultsDiffer")}. Or set \`MESHJOIN_FAILOVER\` as the member has it: \`off\` where it has no rule.`,
  },
  TrafficDefaultsForeign: {
    severity: "warning",
    means:
      "A DestinationRule of somebody else in `istio-system` of a member holds for all Services, or has the name of Meshjoin's. Of such rules istiod takes the most specific one alone, so Meshjoin writes none.",
    cure: "To keep that rule, set `MESHJOIN_FAILOVER=off`. To have Meshjoin's, delete that one, as the finding says; it takes what it says of connections and TLS with it.",
  },
  TrustedLeaver: {
    severity: "warning",
    means:
      "A cluster has left and was not deleted. It may hold a CA that the members trust until the date in the message.",
    cure: "If the mesh must not trust it: `meshjoin root rotate`.",
  },
  UnclaimedRootVersion: {
    severity: "warning",
    means:
      "A version of the root secret is enabled and has no role: a person has added it, or a run died just after it had begun a rotation.",
    cure: "If it is not needed, disable it. To make it a root, use `meshjoin root import`.",
  },
  WritesPaused: {
    severity: "warning",
    means:
      "A person paused every write of the functions. No cluster joins, leaves or is repaired, and no token or certificate is renewed.",
    cure: "`meshjoin resume`.",
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

export type Reason = keyof typeof REASONS;

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
