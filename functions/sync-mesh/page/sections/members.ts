import { isDrained } from "../../../../shared/core/answers/drained.ts";
import type { GatewayStatus, IngressStatus, MemberStatus } from "../../../../shared/core/answers/status.ts";
import { count } from "../../../../shared/core/count.ts";
import { BY_MESHJOIN } from "../../../../shared/core/member/drain.ts";
import { countFindings } from "../facts/findings.ts";
import { isApart, isSynced, isWanted, type OrderedPair } from "../facts/pairs.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { memberButton, memberForm } from "./actions.ts";
import { fold, NOT_KNOWN, relative, section, shortFingerprint, table } from "./parts.ts";

/** Of more members those without trouble are folded. */
const ALL_OPEN = 12;

/** The loaded intermediate counts; it is listed apart only if it differs from the written one. */
function certificates({ reachable, root, intermediate: { written, loaded } }: MemberStatus): Part {
  if (!reachable) return NOT_KNOWN;
  const others = loaded.filter((pod) => pod.fingerprint !== written?.fingerprint);
  return html`<ul class="certificates">${
    root.length === 0 ? html`<li>Root ${NOT_KNOWN}</li>` : undefined
  }${root.map((certificate) => html`<li>Root ${shortFingerprint(certificate.fingerprint)}</li>`)}<li>Intermediate ${
    written === null
      ? html`<span class="muted">none of Meshjoin’s</span>`
      : shortFingerprint(written.fingerprint)
  }</li>${others.map(
    ({ pod, fingerprint: served }) =>
      html`<li title="${pod}"><span class="warn">Loaded</span> ${shortFingerprint(served)}</li>`,
  )}</ul>`;
}

function share(words: string, all: readonly OrderedPair[] = []): Html | undefined {
  const pairs = all.filter(isWanted);
  if (pairs.length === 0) return undefined;
  const synced = pairs.filter(isSynced).length;
  const kind = pairs.some(isApart) ? "bad" : synced < pairs.length ? "warn" : "";
  return html`<li class="${kind}">${words} ${synced} of ${pairs.length}</li>`;
}

/** Of a reader that Meshjoin does not reach, no pair is known. */
function sharesOf({ clusterId, reachable }: MemberStatus, scene: Scene): Html {
  const reads = scene.reads.get(clusterId) ?? [];
  const isRead = share("read by", scene.isRead.get(clusterId));
  if (reads.length === 0 && isRead === undefined) return html`<span class="muted">no peer</span>`;
  return html`<ul>${reachable ? share("reads", reads) : html`<li>reads: ${NOT_KNOWN}</li>`}${isRead}</ul>`;
}

/** Where there is one network, nobody asks for a gateway. */
function networkOf(
  { network: { name, declared }, gateway, ingress }: MemberStatus,
  { networks }: Scene,
): Html {
  const label = declared ? html`<small>by its label</small>` : undefined;
  return html`${name}${label}${networks > 1 ? html`<small>${gatewayOf(gateway)}</small>` : undefined}${ingressOf(ingress)}`;
}

function gatewayOf(gateway: GatewayStatus): Part {
  if (gateway.state !== "present") return ["gateway ", gateway.state === "none" ? "none" : NOT_KNOWN];
  const { address, up, exposure } = gateway;
  if (address === undefined) return html`<span class="badge warning">${exposure} gateway: no address</span>`;
  return up
    ? `gateway ${address}, ${exposure}`
    : html`<span class="badge warning">gateway ${address}: no pod is ready</span>`;
}

/** Undefined where the configuration wants none. */
function ingressOf(ingress: IngressStatus): Html | undefined {
  if (ingress.state !== "present")
    return ingress.state === "none" ? html`<small>no ingress</small>` : undefined;
  const { address, up, tls } = ingress;
  if (address === undefined)
    return html`<small><span class="badge warning">ingress: no address</span></small>`;
  if (!up) return html`<small><span class="badge warning">ingress ${address}: no pod is ready</span></small>`;
  const missing =
    tls === "refused" ? html` <span class="badge error">no certificate for 443</span>` : undefined;
  return html`<small>ingress ${address}${missing}</small>`;
}

function drainOf({ drain }: MemberStatus, { now }: Scene): Html | undefined {
  if (drain.state !== "present")
    return drain.state === "none" ? undefined : html`<small>drained: ${NOT_KNOWN}</small>`;
  const { since, by, reason } = drain;
  const why = reason === "" ? undefined : html`: ${reason}`;
  if (by === BY_MESHJOIN)
    return html`<small><span class="badge warning">drained by Meshjoin</span> ${relative(since, now)}${why}</small>`;
  return html`<small><span class="badge info">drained</span> ${relative(since, now)} by ${by}${why}</small>`;
}

function findingsOf({ clusterId }: MemberStatus, { findings }: Scene): Html {
  const own = findings.filter((finding) => finding.clusterId === clusterId);
  const [worst] = own;
  return worst === undefined
    ? html`<span class="muted">none</span>`
    : html`<a class="badge ${worst.severity}" href="#findings">${countFindings(own)}</a>`;
}

function cellsOf(member: MemberStatus, scene: Scene): Part[] {
  const { clusterId, project, location, kubernetesVersion, istioVersion, endpoint } = member;
  const name = scene.nameOf(clusterId);
  return [
    html`${name}<small>${clusterId}</small>`,
    html`${member.reachable ? "reachable" : html`<span class="badge ${isDrained(member) ? "info" : "warning"}">unreachable</span>`}<small>${endpoint === null ? "no endpoint" : `${endpoint} endpoint`}</small>${drainOf(member, scene)}`,
    findingsOf(member, scene),
    sharesOf(member, scene),
    html`${location}<small>${project}</small>`,
    networkOf(member, scene),
    html`${istioVersion ?? (member.reachable ? html`<span class="muted">none seen</span>` : NOT_KNOWN)}<small>${kubernetesVersion === "" ? "not known" : kubernetesVersion}</small>`,
    certificates(member),
    memberButton(clusterId, name),
  ];
}

function membersTable(id: string, caption: string, members: readonly MemberStatus[], scene: Scene): Html {
  return table({
    id,
    caption,
    head: [
      "Member",
      "API server",
      "Findings",
      "Pairs synced",
      "Location",
      "Network",
      "Istio, Kubernetes",
      "Certificates",
      "Actions",
    ],
    rows: members.map((member) => ({ id: `member-${member.clusterId}`, cells: cellsOf(member, scene) })),
    kind: "members",
  });
}

/** Undefined without a member: the section of the mesh says so. */
export function membersSection(scene: Scene): Html | undefined {
  const { members, troubled, well } = scene;
  if (members.length === 0) return undefined;
  const body =
    members.length <= ALL_OPEN
      ? membersTable("members", "Members, those with trouble first", [...troubled, ...well], scene)
      : [
          troubled.length === 0
            ? undefined
            : membersTable("members", "Members with trouble of their own, the worst first", troubled, scene),
          well.length === 0
            ? undefined
            : fold(
                "members-well",
                `${count(well.length, "member")} without trouble of ${well.length === 1 ? "its" : "their"} own`,
                membersTable("well", "Members without trouble of their own", well, scene),
              ),
        ];
  return section({ id: "members", title: "Members", body: [memberForm(scene), body] });
}
