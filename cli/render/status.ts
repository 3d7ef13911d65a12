import { distinct } from "../../shared/core/answers/finding.ts";
import type { MemberStatus, PairStatus, RotationStatus, Status } from "../../shared/core/answers/status.ts";
import { count } from "../../shared/core/count.ts";
import { renderTable } from "../../shared/table.ts";
import type { Paint } from "../paint.ts";
import { renderFindings } from "./findings.ts";
import { blocks, someOf } from "./words.ts";

/** Enough hex digits to tell certificates apart. */
const FINGERPRINT_DIGITS = 12;

/** Every member, and the connections that are not synced. Every time is UTC. */
export function renderStatus(status: Status, paint: Paint): string {
  return blocks(
    [...head(status), ...roots(status)].join("\n"),
    members(status, paint),
    connections(status, paint),
    renderFindings(
      distinct([...status.findings, ...status.members.flatMap(({ findings }) => findings)]),
      paint,
    ),
  );
}

function head({ meshId, time, members: all, pairs, rotation }: Status): string[] {
  const networks = networksOf(all);
  const [network] = networks;
  const within = networks.length === 1 ? `, network ${network}` : "";
  const synced = pairs.filter(({ status }) => status === "synced").length;
  return [
    `Mesh ${meshId} at ${day(time)} ${minute(time)} UTC`,
    `${count(all.length, "member")}, ${synced} of ${count(pairs.length, "connection")} synced${within}`,
    ...rotationLines(rotation),
  ];
}

/** The stage of a root rotation, and the conditions of the next one. */
export function rotationLines({
  stage,
  waitingFor,
  until,
}: Pick<RotationStatus, "stage" | "waitingFor" | "until">): string[] {
  if (stage === "idle") return [];
  const end = until === null ? "" : `, not before ${day(until)} ${minute(until)} UTC`;
  return [`Root rotation: ${stage}${end}`, ...waitingFor.map((reason) => `  waits: ${reason}`)];
}

function networksOf(all: readonly MemberStatus[]): string[] {
  return [...new Set(all.map(({ network }) => network))].toSorted();
}

/** The roots that the members' workloads trust. */
function roots({ members: all }: Status): string[] {
  const up = all.filter(({ reachable }) => reachable);
  const certificates = new Map(up.flatMap(({ root }) => root.map((each) => [each.fingerprint, each])));
  return [...certificates.values()].map(({ fingerprint, notAfter }) => {
    const trusting = up.filter(({ root }) => root.some((each) => each.fingerprint === fingerprint)).length;
    const by = trusting === up.length ? "" : `, trusted by ${trusting} of ${up.length}`;
    return `Root ${fingerprint.slice(0, FINGERPRINT_DIGITS)} until ${day(notAfter)}${by}`;
  });
}

function members({ members: all, pairs }: Status, paint: Paint): string {
  if (all.length === 0) return "No cluster carries the label of the mesh.";
  const several = networksOf(all).length > 1;
  const titles = ["MEMBER", "KUBERNETES", "ISTIO", "API", "CA UNTIL", "TOKENS UNTIL", "SYNCED", ""];
  const rows = all.map((member) => {
    const own = pairs.filter(({ reader }) => reader === member.clusterId);
    const row = [
      member.clusterId,
      member.kubernetesVersion,
      member.istioVersion ?? "-",
      member.endpoint ?? "-",
      intermediateOf(member, paint),
      tokensUntil(own),
      `${own.filter(({ status }) => status === "synced").length}/${own.length}`,
      member.reachable ? "" : paint("red", "unreachable"),
    ];
    return several ? row.toSpliced(3, 0, member.network) : row;
  });
  return renderTable(several ? titles.toSpliced(3, 0, "NETWORK") : titles, rows);
}

function intermediateOf({ intermediate: { written, loaded } }: MemberStatus, paint: Paint): string {
  if (written === null) return "-";
  const behind = loaded.some(({ fingerprint }) => fingerprint !== written.fingerprint);
  return behind ? `${day(written.notAfter)} ${paint("yellow", "not loaded")}` : day(written.notAfter);
}

/** The first expiry of a reader's tokens. */
function tokensUntil(pairs: readonly PairStatus[]): string {
  const [first] = pairs.flatMap(({ tokenExpiry }) => tokenExpiry ?? []).toSorted();
  return first === undefined ? "-" : `${day(first)} ${minute(first)}`;
}

/**
 * Groups connections of the same trouble: one unreachable member breaks a connection of every other one. A
 * pair goes with its reader or with its target: the one with more such pairs.
 */
function connections({ pairs }: Status, paint: Paint): string {
  const open = pairs.filter(({ status }) => status !== "synced");
  const byReader = Map.groupBy(open, readerKey);
  const byTarget = Map.groupBy(open, targetKey);
  const sizeOf = (group: readonly PairStatus[] | undefined) => group?.length ?? 0;
  const groups = Map.groupBy(open, (pair) =>
    sizeOf(byTarget.get(targetKey(pair))) > sizeOf(byReader.get(readerKey(pair)))
      ? targetKey(pair)
      : readerKey(pair),
  );
  const rows = [...groups.values()].flatMap((group) => {
    const [status] = group.map((pair) => pair.status);
    if (status === undefined) return [];
    const named = (side: "reader" | "target") => someOf([...new Set(group.map((pair) => pair[side]))]);
    return [[paint(status === "syncing" ? "yellow" : "red", status), named("reader"), named("target")]];
  });
  return rows.length === 0 ? "" : renderTable(["NOT SYNCED", "READERS", "TARGETS"], rows);
}

function readerKey({ status, reader }: PairStatus): string {
  return `${status} by ${reader}`;
}

function targetKey({ status, target }: PairStatus): string {
  return `${status} of ${target}`;
}

function day(time: string): string {
  return time.slice(0, "2026-03-01".length);
}

function minute(time: string): string {
  return time.slice("2026-03-01T".length, "2026-03-01T12:00".length);
}
