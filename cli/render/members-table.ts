import { isDrained, wantedPairs } from "../../shared/core/answers/drained.ts";
import type {
  GatewayStatus,
  IngressStatus,
  MemberStatus,
  PairStatus,
  Status,
} from "../../shared/core/answers/status.ts";
import { BY_MESHJOIN } from "../../shared/core/member/drain.ts";
import { cellTime } from "../../shared/core/time.ts";
import type { Names, Screen } from "../screen.ts";
import { renderFittedTable } from "./fitted-table.ts";

/** Enough hex digits to tell certificates apart. */
export const FINGERPRINT_DIGITS = 12;

/** MEMBER, STATE and SYNCED. */
const KEPT = 3;

function drainOf(member: MemberStatus): string {
  if (!isDrained(member)) return "";
  const { drain } = member;
  return drain.state === "present" && drain.by === BY_MESHJOIN ? ", drained by Meshjoin" : ", drained";
}

/** The most important columns first: the last ones are left out where the terminal is narrow. */
export function membersTable(status: Status, screen: Screen, names: Names): string {
  const { members } = status;
  const pairs = wantedPairs(status);
  if (members.length === 0) return "No cluster carries the label of the mesh.";
  const several = networksOf(members).length > 1 || screen.isWide;
  const hasIngress = members.some(({ ingress }) => ingress.state !== "unknown");
  const head = ["MEMBER", "STATE", "SYNCED", "CA UNTIL", "TOKENS UNTIL", "ISTIO", "KUBERNETES", "API"];
  const rows = members.map((member) => {
    const own = pairs.filter(({ reader }) => reader === member.clusterId);
    const targets = [...Map.groupBy(own, ({ target }) => target).values()];
    const synced = targets.filter((pods) => pods.every((pod) => pod.status === "synced")).length;
    const { intermediate, istioVersion, kubernetesVersion, endpoint } = member;
    const row = [
      names(member.clusterId),
      stateOf(member, screen) + drainOf(member),
      `${synced}/${targets.length}`,
      intermediate.written === null ? "-" : cellTime(intermediate.written.notAfter),
      tokensUntil(own),
      istioVersion ?? "-",
      kubernetesVersion,
      endpoint ?? "-",
    ];
    const more = [
      ...(several ? [member.network.name, gatewayCell(member.gateway, screen)] : []),
      ...(hasIngress ? [ingressCell(member.ingress, screen)] : []),
    ];
    return row.toSpliced(KEPT, 0, ...more);
  });
  const titles = head.toSpliced(
    KEPT,
    0,
    ...(several ? ["NETWORK", "GATEWAY"] : []),
    ...(hasIngress ? ["INGRESS"] : []),
  );
  return renderFittedTable(titles, rows, { width: screen.width, keep: KEPT });
}

export function networksOf(members: readonly MemberStatus[]): string[] {
  return [...new Set(members.map(({ network }) => network.name))].toSorted();
}

/** The worst thing about a member, in a word or two. */
function stateOf(member: MemberStatus, { paint }: Screen): string {
  const { reachable, findings } = member;
  if (!reachable) return paint("red", "unreachable");
  if (isBehind(member)) return paint("yellow", "CA not loaded");
  if (findings.some(({ severity }) => severity === "error")) return paint("red", "error");
  return findings.some(({ severity }) => severity === "warning") ? paint("yellow", "warning") : "ok";
}

/** Its address and exposure, or why no request gets in through it. */
function gatewayCell(gateway: GatewayStatus, { paint }: Screen): string {
  if (gateway.state !== "present") return gateway.state === "none" ? "-" : "not known";
  const { address, up, exposure } = gateway;
  if (address === undefined) return paint("yellow", `no address (${exposure})`);
  return up ? `${address} (${exposure})` : paint("yellow", `${address} (no pod is ready)`);
}

/** Where users reach it, or what they do not get there. */
function ingressCell(ingress: IngressStatus, { paint }: Screen): string {
  if (ingress.state !== "present") return ingress.state === "none" ? "-" : "not known";
  const { address, up, tls } = ingress;
  if (address === undefined) return paint("yellow", "no address");
  if (!up) return paint("yellow", `${address} (no pod is ready)`);
  return tls === "refused" ? paint("red", `${address} (no certificate)`) : address;
}

function isBehind({ intermediate: { written, loaded } }: MemberStatus): boolean {
  return written !== null && loaded.some(({ fingerprint }) => fingerprint !== written.fingerprint);
}

/** The first expiry of a reader's tokens. */
function tokensUntil(pairs: readonly PairStatus[]): string {
  const [first] = pairs.flatMap(({ tokenExpiry }) => tokenExpiry ?? []).toSorted();
  return first === undefined ? "-" : cellTime(first);
}
