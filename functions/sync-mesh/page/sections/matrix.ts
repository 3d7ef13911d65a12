import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import { latencyWords } from "../../../../shared/core/time.ts";
import { isThroughGateway, type OrderedPair, sentenceOfPair, stateWord } from "../facts/pairs.ts";
import { type Html, html } from "../html.ts";
import { isRefreshing, type Scene } from "../scene.ts";
import { absolute } from "./parts.ts";

/** Up to this many members a cell has room for a word. */
const ROOMY = 8;
/** Up to this many for a clear sign; beyond, the matrix still fits a screen. */
const DENSE = 40;

const MARKS = { direct: undefined, gateway: html`<small>gateway</small>`, none: html`<small>no way</small>` };

function details(pair: OrderedPair, { nameOf, isAway }: Scene): string {
  const { reader, state, pods, tokenExpiry } = pair;
  const saying = pods.filter((pod) => pod.state === state).length;
  const of = pods.length > 1 ? ` in ${saying} of ${pods.length} pods` : "";
  const none = isAway(reader) ? "token not known" : "no token";
  const token = tokenExpiry === undefined ? none : `token until ${absolute(tokenExpiry)}`;
  return `${sentenceOfPair(pair, nameOf, of)}; ${token}`;
}

function cell(pair: OrderedPair | undefined, scene: Scene): Html {
  if (pair === undefined) return html`<td class="none"><b>no pair</b></td>`;
  const { state, route } = pair;
  return html`<td class="${state}${isThroughGateway(pair) ? " through" : ""}" title="${details(pair, scene)}"><b>${stateWord(state)}</b>${MARKS[route]}${answer(pair)}</td>`;
}

/** The time of a request that passed, or that nobody knows; a failure is the state itself. */
function answer({ probe: { state, latencyMs } }: OrderedPair): Html | undefined {
  if (state === "unknown") return html`<small>requests?</small>`;
  return latencyMs === undefined ? undefined : html`<small>${latencyWords(latencyMs)}</small>`;
}

/** Whether another network begins here. */
function isFirstOfNetwork(members: readonly MemberStatus[], index: number): boolean {
  return index > 0 && members[index]?.network.name !== members[index - 1]?.network.name;
}

function row(reader: MemberStatus, index: number, scene: Scene): Html {
  const { members, reads, nameOf } = scene;
  const byTarget = new Map(reads.get(reader.clusterId)?.map((pair) => [pair.target, pair]) ?? []);
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

function grid(scene: Scene): Html {
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

/** How the cells of those pairs differ whose requests pass a gateway. */
function gatewayHint({ pairs, members }: Scene): Html | undefined {
  if (!pairs.some(isThroughGateway)) return undefined;
  const mark = members.length <= ROOMY ? "The word gateway" : "A line below the sign";
  return html` ${mark} marks a pair whose requests pass a gateway.`;
}

function hold(scene: Scene): Html | undefined {
  return scene.members.length > ROOMY && isRefreshing(scene)
    ? html` Each refresh scrolls the table back: <a href="/?refresh=off#matrix">stop refreshing to study it</a>.`
    : undefined;
}

/** Every pair as a cell. */
export function matrix(scene: Scene): Html {
  return html`<p class="hint">A cell is the worst state of the target among the reader’s istiod pods.${gatewayHint(scene)}<span class="narrow"> Scroll sideways to see every target.</span>${hold(scene)}</p>${grid(scene)}`;
}
