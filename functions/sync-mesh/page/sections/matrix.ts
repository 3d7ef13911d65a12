import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import type { Connection } from "../facts/connections.ts";
import { type Html, html, type Part } from "../html.ts";
import { isRefreshing, type Scene } from "../scene.ts";
import { absolute, section } from "./parts.ts";

/** Up to this many members a cell has room for a word. */
const ROOMY = 8;
/** Up to this many for a clear sign; beyond, the matrix still fits a screen. */
const DENSE = 40;

function details({ reader, target, state, pods, tokenExpiry }: Connection, { nameOf }: Scene): string {
  const saying = pods.filter(({ status }) => status === state).length;
  const of = pods.length > 1 ? ` in ${saying} of ${pods.length} pods` : "";
  const token = tokenExpiry === undefined ? "no token" : `token until ${absolute(tokenExpiry)}`;
  return `${nameOf(reader)} reads ${nameOf(target)}: ${state}${of}; ${token}`;
}

function cell(connection: Connection | undefined, scene: Scene): Html {
  if (connection === undefined) return html`<td class="none"><b>no pair</b></td>`;
  const { state } = connection;
  return html`<td class="${state}" title="${details(connection, scene)}"><b>${state}</b></td>`;
}

/** Whether another network begins here. */
function isFirstOfNetwork(members: readonly MemberStatus[], index: number): boolean {
  return index > 0 && members[index]?.network !== members[index - 1]?.network;
}

function row(reader: MemberStatus, index: number, scene: Scene): Html {
  const { members, reads, nameOf } = scene;
  const byTarget = new Map(
    reads.get(reader.clusterId)?.map((connection) => [connection.target, connection]) ?? [],
  );
  return html`
<tr${isFirstOfNetwork(members, index) ? html` class="next"` : undefined}><th scope="row" title="${reader.clusterId}">${nameOf(reader.clusterId)}</th>${members.map(
    ({ clusterId }) =>
      clusterId === reader.clusterId
        ? html`<td class="self"><b>itself</b></td>`
        : cell(byTarget.get(clusterId), scene),
  )}</tr>`;
}

function sizeOf({ length }: readonly MemberStatus[]): string {
  if (length <= ROOMY) return "roomy";
  return length <= DENSE ? "dense" : "dense tiny";
}

function matrix(scene: Scene): Html {
  const { members, nameOf } = scene;
  return html`
<div class="scroll" role="group" aria-labelledby="matrix-caption" tabindex="0">
<table class="matrix ${sizeOf(members)}">
<caption id="matrix-caption"><span>Readers (rows) and their targets (columns)</span></caption>
<thead><tr><th scope="col">Reader</th>${members.map(
    ({ clusterId }) => html`<th scope="col" title="${clusterId}"><span>${nameOf(clusterId)}</span></th>`,
  )}</tr></thead>
<tbody>${members.map((member, index) => row(member, index, scene))}
</tbody>
</table>
</div>`;
}

function hold(scene: Scene): Html | undefined {
  return scene.members.length > ROOMY && isRefreshing(scene)
    ? html` Each refresh scrolls the table back: <a href="/?refresh=off#matrix">stop refreshing to study it</a>.`
    : undefined;
}

/** Undefined without a pair: the picture says so. */
export function matrixSection(scene: Scene): Html | undefined {
  if (scene.members.length < 2) return undefined;
  const body: Part = [
    html`<p class="hint">A cell is the worst state of the target among the reader’s istiod pods.${hold(scene)}</p>`,
    matrix(scene),
  ];
  return section({ id: "matrix", title: "Matrix", body });
}
