import { type Finding, finding } from "../answers/finding.ts";
import { kubectlOn } from "../cluster/gcloud.ts";
import { count } from "../count.ts";
import type { NamedCluster, WorkloadPods } from "./observation.ts";
import { restartOf } from "./workloads.ts";

/** A proxy, by its pod. */
export interface ProxyVersion {
  readonly namespace: string;
  readonly pod: string;
  readonly version: string;
  readonly rootsOpenSince: Date | undefined;
}

/** A push takes seconds, on a busy istiod more. */
const ROOTS_OPEN_MS = 5 * 60_000;
/** A suffix of the image alone; the program in it tells none. */
const VARIANT = /-(?:distroless|debug)$/;
/** The tag of a foreign istiod may be anything, `latest` for one. */
const RELEASE = /^\d+\.\d+/;
/** What a program that was built without a release says of itself. */
const UNKNOWN = ["", "unknown"];
const VERSIONS_MAX = 3;
const VERSION_MAX = 40;

export interface OutdatedProxies {
  readonly outdated: readonly ProxyVersion[];
  /** Of this release already, or not telling one: they have not taken the roots. */
  readonly withoutRoots: readonly ProxyVersion[];
}

/** `istioVersion`: the tag of istiod's image, which may tell no release; empty for a digest alone. */
export function outdatedAmong(
  proxies: readonly ProxyVersion[],
  istioVersion: string,
  now: Date,
): OutdatedProxies {
  const release = istioVersion.replace(VARIANT, "");
  const isOutdated = ({ version }: ProxyVersion) =>
    RELEASE.test(release) && !UNKNOWN.includes(version) && version.replace(VARIANT, "") !== release;
  const isOpen = ({ rootsOpenSince }: ProxyVersion) =>
    rootsOpenSince !== undefined && now.getTime() - rootsOpenSince.getTime() > ROOTS_OPEN_MS;
  return {
    outdated: proxies.filter(isOutdated),
    withoutRoots: proxies.filter((proxy) => !isOutdated(proxy) && isOpen(proxy)),
  };
}

/** `workloads`: those of the outdated, as far as they were looked for. */
export function proxiesOutdated(
  { cluster, clusterId }: NamedCluster,
  istioVersion: string,
  { outdated, withoutRoots }: OutdatedProxies,
  workloads: readonly WorkloadPods[],
): Finding | undefined {
  if (outdated.length + withoutRoots.length === 0) return undefined;
  const versions = [...new Set(outdated.map(({ version }) => shortened(version)))].toSorted();
  const shown = versions.slice(0, VERSIONS_MAX).join(", ");
  const more = versions.length > VERSIONS_MAX ? `, and ${versions.length - VERSIONS_MAX} more` : "";
  const parts = [
    outdated.length === 0
      ? ""
      : `${count(outdated.length, "proxy", "proxies")} of ${clusterId} still ${outdated.length === 1 ? "runs" : "run"} Istio ${shown}${more}, and istiod ${istioVersion}`,
    withoutRoots.length === 0
      ? ""
      : `${count(withoutRoots.length, "proxy", "proxies")} of ${clusterId} ${withoutRoots.length === 1 ? "has" : "have"} not taken the mesh's roots that istiod sent`,
  ];
  const found = workloads.reduce((sum, { pods }) => sum + pods, 0);
  const rest = outdated.length + withoutRoots.length - found;
  const restart = restartOf(workloads, kubectlOn(cluster.ref));
  const others =
    rest > 0
      ? `${count(rest, "more", "more")} ${rest === 1 ? "is" : "are"} shown by: istioctl proxy-status`
      : "";
  return finding(
    "ProxiesOutdated",
    parts.filter((part) => part !== "").join("; "),
    [restart, others].filter((part) => part !== "").join("; "),
    clusterId,
  );
}

/** A proxy says of itself what it likes. */
function shortened(version: string): string {
  return version.length > VERSION_MAX ? `${version.slice(0, VERSION_MAX)}…` : version;
}
