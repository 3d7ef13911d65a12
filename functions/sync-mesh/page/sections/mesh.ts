import { count } from "../../../../shared/core/count.ts";
import { drawGraph, showsEveryPair } from "../drawing/graph.ts";
import { ARROWS_MAX } from "../drawing/many.ts";
import { type Connection, countByState, describeTally, type State } from "../facts/connections.ts";
import type { Gap } from "../facts/gaps.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { memberLink, more, relative, section, table } from "./parts.ts";

/** The matrix has all pairs, so the table stays short. */
const GAPS_MAX = 60;

const MEANINGS: readonly (readonly [State, string])[] = [
  ["synced", "istiod has read everything of the target"],
  ["syncing", "istiod is reading the target for the first time"],
  ["timeout", "istiod stopped waiting and serves the part of the target that it has read"],
  ["closed", "istiod no longer watches the target"],
  ["missing", "a pod does not list the target at all"],
  ["unknown", "the pods could not be asked"],
];

function legend({ tally: counts }: Scene): Html {
  return html`
<ul class="legend">${MEANINGS.map(
    ([state, meaning]) => html`
<li class="${counts[state] === 0 ? "zero" : ""}"><svg width="40" height="12" aria-hidden="true"><path class="edge ${state}" d="M2 6H38"/></svg><span class="chip ${state}" aria-hidden="true"></span><strong>${state} ${counts[state]}</strong> <span>${meaning}</span></li>`,
  )}
</ul>`;
}

function podsOf({ pods, state }: Connection): string {
  const saying = pods.filter(({ status }) => status === state);
  const names = saying.map(({ pod }) => (pod === "" ? "no pod" : pod)).join(", ");
  return saying.length === pods.length && pods.length > 1 ? `all ${pods.length}: ${names}` : names;
}

function gapRow(gap: Gap, scene: Scene): Html {
  const { now } = scene;
  if (gap.kind === "pair") {
    const { reader, target, state, pods, tokenExpiry } = gap.connection;
    return html`
<tr><th scope="row">${memberLink(reader, scene)}</th><td>${memberLink(target, scene)}</td><td><span class="badge ${state}">${state}</span></td><td class="pods">${podsOf(gap.connection)}</td><td>${relative(pods[0]?.seenAt ?? "", now)}</td><td>${
      tokenExpiry === undefined ? html`<span class="muted">none</span>` : relative(tokenExpiry, now)
    }</td></tr>`;
  }
  const all = count(gap.connections.length, "peer");
  const counts = describeTally(countByState(gap.connections));
  const [reader, target] =
    gap.kind === "reader"
      ? [memberLink(gap.clusterId, scene), `none of ${all}`]
      : [`none of ${all}`, memberLink(gap.clusterId, scene)];
  return html`
<tr><th scope="row">${reader}</th><td>${target}</td><td colspan="4">${counts}</td></tr>`;
}

function gapsTable(scene: Scene): Part {
  const { gaps } = scene;
  if (gaps.length === 0) return undefined;
  return [
    table({
      id: "gaps",
      caption: "Pairs that are not synced",
      head: ["Reader", "Target", "State", "istiod pods", "Seen", "Token expires"],
      body: html`<tbody>${gaps.slice(0, GAPS_MAX).map((gap) => gapRow(gap, scene))}
</tbody>`,
    }),
    more(gaps.length - GAPS_MAX, html`<a href="#matrix">the matrix</a> has them all`),
  ];
}

function description(scene: Scene): string {
  const { members, connections, tally: counts } = scene;
  const networks = new Set(members.map(({ network }) => network)).size;
  const parts = [
    `${count(members.length, "member")} in ${count(networks, "network")}`,
    `${counts.synced} of ${count(connections.length, "pair")} synced`,
    describeTally(counts),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function captionOf(scene: Scene): string {
  if (scene.connections.length === 0) return "Members by network; there is no pair yet.";
  const arrow = "An arrow leads from a reader to the target whose API server its istiod watches.";
  if (showsEveryPair(scene)) return arrow;
  const drawn = "Only pairs that are not synced are drawn; a short arrow is for all pairs of its member.";
  const hidden = scene.gaps.length - ARROWS_MAX;
  return `${arrow} ${drawn}${hidden > 0 ? ` ${hidden} more arrows are left out.` : ""}`;
}

export function meshSection(scene: Scene): Html {
  const { members, status } = scene;
  const content: Part =
    members.length === 0
      ? html`<p class="empty">No cluster is a member yet. Label one with this mesh’s ID, <code>${status.meshId}</code>, or run <code>meshjoin join CLUSTER</code>: it joins by itself.</p>`
      : [
          html`<figure>
<div class="scroll" role="group" aria-label="Picture of the mesh" tabindex="0">
${drawGraph(scene, description(scene))}
</div>
<figcaption>${captionOf(scene)}</figcaption>
</figure>`,
          members.length > 1 ? legend(scene) : undefined,
          gapsTable(scene),
        ];
  return section({ id: "mesh", title: "Mesh", body: content });
}
