import { DEFAULTS, type VariableName, variableNames } from "../../shared/config.ts";
import { INTERMEDIATE_TO_WORKLOAD, KEY_ALGORITHMS } from "../../shared/core/spec.ts";

interface Entry {
  readonly form: string;
  readonly about: string;
  /** What holds if it is not set, where that is no fixed text. */
  readonly otherwise?: string;
}

const ACCESS_FORM = "`auto`, `dns`, `private` or `public`";
const SHARE_FORM = "a number above 0, up to 1";

/**
 * A variable that is not described here does not compile; `undefined` keeps it out: for the sandbox alone.
 */
const ENTRIES: Readonly<Record<VariableName, Entry | undefined>> = {
  MESHJOIN_MESH_ID: {
    form: "`^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$`, not `proj-…`, no word that YAML reads as a boolean or as nothing",
    about:
      "The mesh's ID: the value of its members' mesh label, and the first part of the root secret's name, `<mesh ID>-root-ca`.",
    otherwise: "required",
  },
  MESHJOIN_PROJECTS: {
    form: "project IDs, comma-separated, each one once",
    about: "The projects whose clusters may be members.",
    otherwise: "required",
  },
  MESHJOIN_ROOT_PROJECT: {
    form: "a project ID",
    about: "The project that holds the root secret.",
    otherwise: "the first of `MESHJOIN_PROJECTS`",
  },
  MESHJOIN_MESH_LABEL: {
    form: "a label key",
    about:
      "The GKE resource label that names a cluster's mesh. A person who may label a cluster may join it.",
  },
  MESHJOIN_ALLOW: {
    form: "globs (`*`, `?`) over cluster names, comma-separated",
    about: "Which clusters may join at all.",
    otherwise: "all",
  },
  MESHJOIN_KEY_ALGORITHM: {
    form: KEY_ALGORITHMS.map((word) => `\`${word}\``).join(", "),
    about: "The keys of the members' intermediate CAs.",
  },
  MESHJOIN_INTERMEDIATE_TTL: {
    form: `a duration, at least ${INTERMEDIATE_TO_WORKLOAD} × \`MESHJOIN_WORKLOAD_TTL\``,
    about: "How long an intermediate CA lives; it never outlives its root.",
  },
  MESHJOIN_WORKLOAD_TTL: {
    form: "a duration",
    about: "The longest life of a workload's certificate: istiod's `MAX_WORKLOAD_CERT_TTL`.",
  },
  MESHJOIN_ISTIO_HUB: {
    form: "a registry's host, its port if it has one, and a path, in lower case, like `docker.io/istio`",
    about:
      "Where nodes get Istio's images, istiod's and the sidecars'. For a mirror. A change of it is a roll-out, one member at a time; " +
      "sidecars follow when their pods are restarted.",
    otherwise: "where the pinned release publishes them, `docker.io/istio`",
  },
  MESHJOIN_CLOCK_SKEW: {
    form: "a duration",
    about: "How far the clocks of the fleet may differ.",
  },
  MESHJOIN_TOKEN_TTL: {
    form: "a duration, at least `10m`",
    about:
      "The life that is asked for a remote secret's token. The cluster may grant less: GKE two days at most, as far as is known. Renewal follows from what was granted. Full runs every ten minutes keep tokens of an hour alive though a member is away for a quarter of it; shorter ones may end in between.",
  },
  MESHJOIN_ACCESS_FUNCTION: {
    form: ACCESS_FORM,
    about:
      "How Meshjoin reaches API servers. `auto`: dns where external traffic is allowed, else public where enabled, else private.",
  },
  MESHJOIN_ACCESS_PEERS: {
    form: ACCESS_FORM,
    about:
      "Which address stands in remote secrets. `auto`: dns where Kubernetes tokens are allowed over it, else public, else private.",
  },
  MESHJOIN_MASS_LEAVE_SHARE: {
    form: SHARE_FORM,
    about:
      "If more than one member, and more than this share of them, have lost their label at one time, Meshjoin removes none of them until that is confirmed. " +
      "Those within `MESHJOIN_LEAVE_GRACE` count, so labels that are lost one after the other count together.",
  },
  MESHJOIN_DRAIN_SHARE: {
    form: SHARE_FORM,
    about:
      "If more than this share of the members would be drained, by label or by command, Meshjoin drains none of the new ones until that is confirmed (`MassDrain`). " +
      "The last serving member of the mesh or of a network needs a confirmation, too.",
  },
  MESHJOIN_DRAIN_AFTER: {
    form: "a duration of at least 20m",
    about:
      "A member that is silent for so long, and that most peers' probes do not get through to, Meshjoin drains by itself (`DrainedAutomatically`, [docs/drain.md](../drain.md#a-member-that-is-dead)). " +
      "Needs `MESHJOIN_PROBE=on`. Empty: Meshjoin drains no member by itself.",
  },
  MESHJOIN_LEAVE_GRACE: {
    form: "a duration",
    about:
      "How long the members keep their credentials of a cluster that has lost its label and was not deleted (`MemberLost`). " +
      "`meshjoin leave` and the deletion of a cluster do not wait. `0s`: the next full run removes them.",
  },
  MESHJOIN_ROTATION_SHARE: {
    form: SHARE_FORM,
    about: "The share of the members that get another intermediate at the same time; one at least.",
  },
  MESHJOIN_GATEWAYS: {
    form: "`auto`, `always` or `never`",
    about:
      "Whether members have an east-west gateway, through which members of other networks reach them. " +
      "`auto`: while the mesh has a member of another network that can use it. With `never`, members of different networks are not paired.",
  },
  MESHJOIN_GATEWAY_EXPOSURE: {
    form: "`internal` or `external`",
    about:
      "Whether the load balancer of a gateway has an address in the VPC, which leads only between `MESHJOIN_CONNECTED_NETWORKS`, or one on the internet. " +
      "The label `mesh_gateway` of a cluster (`internal`, `external`, `none`) wins.",
  },
  MESHJOIN_GATEWAY_SOURCE_RANGES: {
    form: "ranges of IPv4 addresses, comma-separated",
    about: "The only addresses that the load balancers of the gateways let in.",
    otherwise: "every address; a connection without a certificate of the mesh gets nowhere",
  },
  MESHJOIN_GATEWAY_SETTLE: {
    form: "a duration",
    about:
      "When a second gateway takes the place of the first: how long it is up before istiods may know it, and how long the first one stays when they have forgotten it. " +
      "A load balancer has its address some time before every packet to it arrives. `0s`: nothing waits.",
  },
  MESHJOIN_CONNECTED_NETWORKS: {
    form: "groups of networks, `a+b,c+d`, each network in one group",
    about:
      "Networks whose internal load balancers reach each other, by peering, VPN or Interconnect. `meshjoin status` has the networks' names.",
    otherwise: "none",
  },
  MESHJOIN_PROBE: {
    form: "`on` or `off`",
    about:
      "Whether each member keeps a probe (docs/probe.md). With `on` each full run sends requests between all members and tells of pairs where none passes (`RequestsFail`), " +
      "and `meshjoin status` and the page show the answers beside `synced`. `meshjoin check` needs no setting.",
  },
  MESHJOIN_FAILOVER: {
    form: "`on`, `zone` or `off`",
    about:
      "Where requests go while several members have endpoints of a Service (docs/failover.md). `on`: the own cluster, then the own region, then the rest; endpoints that do not answer are left out. " +
      "`zone`: the own zone before the rest of the own cluster, which may overload a lone pod. A member whose istiod runs already follows a change after a confirmation (`TrafficDefaultsDiffer`).",
  },
  MESHJOIN_INGRESS: {
    form: "`on` or `off`",
    about:
      "Whether each member has an ingress for requests from outside the mesh (docs/ingress.md), with a load balancer on the internet. To end one that has an address needs a confirmation (`IngressInUse`).",
  },
  MESHJOIN_INGRESS_TLS_SECRET: {
    form: "the name of a Secret in namespace `istio-ingress` of each member",
    about:
      "The certificate and key of port 443 of the ingress. Meshjoin does not read the Secret. While a member lacks it, its port 80 goes on (`IngressTlsMissing`).",
    otherwise: "the ingress has no port 443",
  },
  MESHJOIN_DNS_CAPTURE: {
    form: "`off` or `on`",
    about:
      "Whether sidecars answer the DNS queries of their pods, so that the name of a Service that only other members have is found (docs/joined-and-now.md). " +
      "A change of it is a roll-out, one member at a time; sidecars follow when their pods are restarted. `meshjoin doctor` says what it would get wrong.",
  },
  MESHJOIN_SIGNER_URL: {
    form: "the https URL of `sign-intermediate`",
    about:
      "The function that alone reads root keys. Without it the joining function reads them itself. The signer ignores the variable.",
    otherwise: "not set",
  },
  MESHJOIN_EXAMINE_ROTATOR_URL: {
    form: "the https URL of `examine-rotator`",
    about:
      "The function that says what the rotator is allowed. `sync-mesh` asks it for `GET /doctor` and in deep runs.",
    otherwise: "not set",
  },
  MESHJOIN_CONTAINER_ENDPOINT: undefined,
  MESHJOIN_SECRETMANAGER_ENDPOINT: undefined,
  MESHJOIN_COMPUTE_ENDPOINT: undefined,
  MESHJOIN_PROJECT_ENDPOINT: undefined,
};

function isVariable(name: string): name is VariableName {
  return name in ENTRIES;
}

function row(name: string): string[] {
  const entry = isVariable(name) ? ENTRIES[name] : undefined;
  if (entry === undefined) return [];
  const fallback = Object.entries(DEFAULTS).find(([key]) => key === name)?.[1];
  const shown = fallback === undefined ? (entry.otherwise ?? "") : `\`${fallback}\``;
  const { about } = entry;
  return [`| \`${name}\` | ${entry.form.replaceAll("|", "\\|")} | ${shown} | ${about} |`];
}

/** `docs/reference/config.md`. */
export function renderConfigReference(): string {
  return [
    "# Configuration",
    "",
    "<!-- Generated by `npm run docs` from shared/config.ts and scripts/docs/config-reference.ts: edit those. -->",
    "",
    "Environment variables, and nothing else. A duration is a whole number with one unit: `90d`, `24h`, `5m`, `60s`. An empty",
    "variable counts as not set. All faults are reported at once, each by the name of its variable and with its cure; an unknown",
    "`MESHJOIN_…` variable is a fault too, so that a misspelt one is not passed over.",
    "",
    "| variable | form | default | what it decides |",
    "| --- | --- | --- | --- |",
    ...variableNames().flatMap(row),
    "",
  ].join("\n");
}
