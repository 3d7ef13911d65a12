import pLimit from "p-limit";
import type { Cluster, EndpointKind } from "../../shared/core/cluster.ts";
import { functionEndpoint, peerEndpoint } from "../../shared/core/endpoints.ts";
import type { Finding } from "../../shared/core/finding.ts";
import { clusterId, networkName } from "../../shared/core/names.ts";
import type { MeshSpec } from "../../shared/core/spec.ts";
import { describePermissions, neededPermissions } from "../../shared/istio/needed-permissions.ts";
import type { OperatorPorts } from "../../shared/operator.ts";
import type { AccessReview, Permission } from "../../shared/ports.ts";
import { someOf } from "../render/words.ts";
import { type Check, fault, fine } from "./check.ts";
import { ours } from "./google.ts";
import { grantOnProject, updateCluster } from "./grants.ts";

const MEMBERS_AT_ONCE = 8;
const MEMBER_TIMEOUT_MS = 10_000;
/** A `Date` is cut off to the second. */
const DATE_GRAIN_S = 1;
/** A person may order a deep run. */
const NEEDED = neededPermissions({ deep: true });
const ADMIN = "roles/container.admin";

/** Each member's API server as this process reaches it. Those that are well take one line, every fault takes one of its own. */
export async function checkMembers(
  ports: OperatorPorts,
  spec: MeshSpec,
  members: readonly Cluster[],
  email: string | undefined,
): Promise<Check[]> {
  const limit = pLimit(MEMBERS_AT_ONCE);
  const checks = await Promise.all(
    members.map((cluster) => limit(() => checkMember(ports, spec, cluster, email))),
  );
  return [...checks.flat(), ...checkNetwork(members)];
}

async function checkMember(
  ports: OperatorPorts,
  spec: MeshSpec,
  cluster: Cluster,
  email: string | undefined,
): Promise<Check[]> {
  const about = clusterId(cluster.ref);
  const subject = { check: "member", about } as const;
  const wrong = ({ message, cure }: Finding) => fault(subject, message, cure);
  const own = functionEndpoint(cluster, spec.accessFunction, about);
  if ("finding" in own) return [wrong(own.finding)];
  const { kind } = own.endpoint;
  const peers = peerEndpoint(cluster, spec.accessPeers, about);
  try {
    const { missing, skew } = await look(ports, cluster);
    const faults = [
      ...("finding" in peers ? [wrong(peers.finding)] : []),
      ...(missing.length === 0
        ? []
        : [
            fault(
              subject,
              `not allowed: ${describePermissions(missing)}`,
              grantOnProject(cluster.ref.project, ADMIN, email),
            ),
          ]),
      ...(skew <= spec.clockSkew
        ? []
        : [
            fault(
              subject,
              `its clock and this one are ${skew} s apart`,
              "set this machine's clock, or raise MESHJOIN_CLOCK_SKEW",
            ),
          ]),
    ];
    const well = `reached over its ${kind} endpoint, all that is needed is allowed, clocks within ${skew + DATE_GRAIN_S} s`;
    return faults.length > 0 ? faults : [fine(subject, well)];
  } catch (error) {
    const { code, message } = ours(error);
    return [fault(subject, `${kind} endpoint: ${message}`, cureOf(code, cluster, kind, email))];
  }
}

interface Seen {
  readonly missing: readonly Permission[];
  /** Whole seconds between its clock and ours, whichever is ahead. */
  readonly skew: number;
}

async function look({ fleet, clock }: OperatorPorts, cluster: Cluster): Promise<Seen> {
  const { access } = fleet.member(cluster);
  const signal = AbortSignal.timeout(MEMBER_TIMEOUT_MS);
  const [skew, ...allowed] = await Promise.all([
    skewOf(access, () => clock.now(), signal),
    ...NEEDED.map((permission) => access.isAllowed(permission, signal)),
  ]);
  return { skew, missing: NEEDED.filter((_, index) => allowed[index] !== true) };
}

/** The answer was given between the question and its arrival. */
async function skewOf(access: AccessReview, now: () => Date, signal: AbortSignal): Promise<number> {
  const before = now().getTime();
  const theirs = (await access.serverTime(signal))?.getTime() ?? before;
  const after = now().getTime();
  const ms = Math.max(before - theirs - DATE_GRAIN_S * 1000, theirs - after, 0);
  return Math.floor(ms / 1000);
}

function cureOf(
  code: string,
  { ref, endpoints }: Cluster,
  kind: EndpointKind,
  email: string | undefined,
): string {
  if (code === "Forbidden" || code === "Unauthorized") return grantOnProject(ref.project, ADMIN, email);
  return kind === "dns" || endpoints.dns === undefined
    ? "check that the cluster is well and that this machine reaches it"
    : `let this machine in (authorized networks), or use the DNS-based endpoint: ${updateCluster(ref, "--enable-dns-access")}`;
}

/** Only members of one VPC are paired, and only pods with addresses of that VPC reach each other. */
function checkNetwork(members: readonly Cluster[]): Check[] {
  if (members.length === 0) return [];
  const subject = { check: "network" } as const;
  const routed = members.filter(({ vpcNative }) => !vpcNative).map(({ ref }) => clusterId(ref));
  const networks = Map.groupBy(members, ({ network }) => networkName(network));
  const shares = [...networks].map(([name, own]) => `${name} (${own.length})`);
  const faults = [
    ...(routed.length === 0
      ? []
      : [
          fault(
            subject,
            `pods of ${someOf(routed)} have no addresses of the VPC`,
            "recreate as VPC-native clusters",
          ),
        ]),
    ...(networks.size === 1
      ? []
      : [
          fault(
            subject,
            `the members are in ${networks.size} networks: ${shares.join(", ")}`,
            "put them into one VPC; those of different networks are not paired",
          ),
        ]),
  ];
  return faults.length > 0 ? faults : [fine(subject, `all members are in ${[...networks.keys()].join("")}`)];
}
