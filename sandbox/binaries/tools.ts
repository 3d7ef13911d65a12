/** The programs that one `go.mod` builds, and what it takes to build them. */
export interface Tool {
  /** File name of the binary. */
  readonly name: ToolName;
  /** Go import path, or a folder beside the go.mod. */
  readonly source: string;
  /** Rough minutes on two idle cores when Go has compiled nothing yet, in the order of {@link TOOLS}. */
  readonly minutes: number;
  /** `-X` settings of the Go linker: without them every one of these programs reports no version at all. */
  readonly stamps: readonly string[];
}

export interface Versions {
  /** Istio release, without a `v`. */
  readonly istio: string;
  /** Kubernetes release, with its `v`. */
  readonly kubernetes: string;
}

/** In this order each tool shares most with what was compiled before it. */
export const TOOL_NAMES = [
  "pubsub",
  "portforward",
  "etcd",
  "istioctl",
  "pilot-discovery",
  "kube-apiserver",
  "kube-controller-manager",
  "kubectl",
] as const;

/** What sidecars need beside these; built only where sidecars run. */
export const TRAFFIC_TOOL_NAMES = ["pilot-agent"] as const;

export type ToolName = (typeof TOOL_NAMES)[number] | (typeof TRAFFIC_TOOL_NAMES)[number];

function istioStamps(release: string): string[] {
  return [`-X istio.io/istio/pkg/version.buildVersion=${release}`];
}

/** The variables that hack/lib/version.sh of Kubernetes sets. */
function kubernetesStamps(version: string): string[] {
  const [major = "", minor = ""] = version.replace(/^v/, "").split(".");
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((pkg) => [
    `-X ${pkg}.gitVersion=${version}`,
    `-X ${pkg}.gitMajor=${major}`,
    `-X ${pkg}.gitMinor=${minor}`,
  ]);
}

export function toolsOf(names: readonly ToolName[], versions: Versions): Tool[] {
  const istio = istioStamps(versions.istio);
  const kubernetes = kubernetesStamps(versions.kubernetes);
  const byName: Readonly<Record<ToolName, Omit<Tool, "name">>> = {
    pubsub: { source: "./pubsub", minutes: 0.5, stamps: [] },
    portforward: { source: "./portforward", minutes: 0.2, stamps: [] },
    etcd: { source: "go.etcd.io/etcd/server/v3", minutes: 0.5, stamps: [] },
    istioctl: { source: "istio.io/istio/istioctl/cmd/istioctl", minutes: 3, stamps: istio },
    "pilot-discovery": { source: "istio.io/istio/pilot/cmd/pilot-discovery", minutes: 1, stamps: istio },
    "pilot-agent": { source: "istio.io/istio/pilot/cmd/pilot-agent", minutes: 3, stamps: istio },
    "kube-apiserver": { source: "k8s.io/kubernetes/cmd/kube-apiserver", minutes: 1.6, stamps: kubernetes },
    "kube-controller-manager": {
      source: "k8s.io/kubernetes/cmd/kube-controller-manager",
      minutes: 0.8,
      stamps: kubernetes,
    },
    kubectl: { source: "k8s.io/kubernetes/cmd/kubectl", minutes: 0.2, stamps: kubernetes },
  };
  return names.map((name) => ({ name, ...byName[name] }));
}
