import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import type { Connection } from "../facts/connections.ts";
import { countFindings, sortFindings } from "../facts/findings.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { memberButtons, memberForms } from "./actions.ts";
import { section, shortFingerprint, table } from "./parts.ts";

const NOT_KNOWN = html`<span class="muted">not known</span>`;

/** The loaded intermediate counts; it is listed apart only if it differs from the written one. */
function certificates({ reachable, root, intermediate: { written, loaded } }: MemberStatus): Part {
  if (!reachable) return NOT_KNOWN;
  const others = loaded.filter((pod) => pod.fingerprint !== written?.fingerprint);
  return html`<ul class="certificates">${root.map((certificate) => html`<li>Root ${shortFingerprint(certificate.fingerprint)}</li>`)}<li>Intermediate ${
    written === null ? html`<span class="muted">not Meshjoin’s</span>` : shortFingerprint(written.fingerprint)
  }</li>${others.map(
    ({ pod, fingerprint: served }) =>
      html`<li title="${pod}"><span class="warn">Loaded</span> ${shortFingerprint(served)}</li>`,
  )}</ul>`;
}

function share(words: string, connections: readonly Connection[] = []): Html | undefined {
  if (connections.length === 0) return undefined;
  const synced = connections.filter(({ state }) => state === "synced").length;
  return html`<li${synced < connections.length ? html` class="warn"` : undefined}>${words} ${synced}/${connections.length}</li>`;
}

function pairs(clusterId: string, scene: Scene): Html {
  const reads = share("reads", scene.reads.get(clusterId));
  const isRead = share("read by", scene.isRead.get(clusterId));
  if (reads === undefined && isRead === undefined) return html`<span class="muted">none</span>`;
  return html`<ul>${reads}${isRead}</ul>`;
}

function row(member: MemberStatus, scene: Scene): Html {
  const { clusterId, project, location, network, kubernetesVersion, istioVersion, endpoint } = member;
  const name = scene.nameOf(clusterId);
  const open = countFindings(sortFindings(member.findings));
  const cells: Part[] = [
    memberButtons(clusterId, name),
    html`${member.reachable ? "reachable" : html`<span class="badge error">unreachable</span>`}<small>${endpoint === null ? "no endpoint" : `${endpoint} endpoint`}</small>`,
    pairs(clusterId, scene),
    open === "" ? html`<span class="muted">none</span>` : html`<a href="#findings">${open}</a>`,
    html`${location}<small>${project}</small>`,
    network,
    html`${istioVersion ?? NOT_KNOWN}<small>${kubernetesVersion === "" ? "not known" : kubernetesVersion}</small>`,
    certificates(member),
  ];
  return html`
<tr id="member-${clusterId}"><th scope="row">${name}<small>${clusterId}</small></th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

/** Undefined without a member: the picture says so. */
export function membersSection(scene: Scene): Html | undefined {
  const { members } = scene;
  if (members.length === 0) return undefined;
  const content = table({
    id: "members",
    caption: "Members by network and name; fingerprints are shortened",
    head: [
      "Member",
      "Actions",
      "API server",
      "Pairs synced",
      "Findings",
      "Location",
      "Network",
      "Istio, Kubernetes",
      "Certificates",
    ],
    body: html`<tbody>${members.map((member) => row(member, scene))}
</tbody>`,
    kind: "members",
  });
  return section({ id: "members", title: "Members", body: [memberForms(scene), content] });
}
