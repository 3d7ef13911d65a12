import { count } from "../../../../shared/core/count.ts";
import { drawGraph, showsEveryPair } from "../drawing/graph.ts";
import { ARROWS_MAX } from "../drawing/many.ts";
import type { Gap } from "../facts/gaps.ts";
import {
  answerWords,
  countByState,
  describeTally,
  isThroughGateway,
  type OrderedPair,
  type PairState,
  stateWord,
} from "../facts/pairs.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { matrix } from "./matrix.ts";
import { fold, memberLink, more, NOT_KNOWN, relative, section, table, typed } from "./parts.ts";

/** The matrix has all pairs, so the table stays short. */
const GAPS_MAX = 60;

const MEANINGS: readonly (readonly [PairState, string])[] = [
  ["synced", "istiod has read everything of the target"],
  ["syncing", "istiod is reading the target for the first time"],
  [
    "pending",
    "a side is not ready for it yet, a person must act first, or the reader waits for its turn after a drain",
  ],
  [
    "drained",
    "the target is drained: its peers send it no new requests; or the reader is drained and does not answer",
  ],
  ["failing", "istiod has read the target, and a request of the probe does not pass"],
  ["timeout", "istiod stopped waiting and serves the part of the target that it has read"],
  ["closed", "istiod no longer watches the target"],
  ["missing", "a pod does not list the target at all"],
  ["unknown", "Meshjoin could not ask the pods, or the target's API server is silent"],
];

/** Of the states that occur. */
function legend({ tally }: Scene): Html {
  return html`
<ul class="legend">${MEANINGS.filter(([state]) => tally[state] > 0).map(
    ([state, meaning]) => html`
<li><svg width="40" height="12" aria-hidden="true"><path class="edge ${state}" d="M2 6H38"/></svg><span class="chip ${state}" aria-hidden="true"></span><strong>${stateWord(state)} ${tally[state]}</strong> <span>${meaning}</span></li>`,
  )}
</ul>`;
}

function podsOf({ pods, state, reader }: OrderedPair, { isAway }: Scene): Part {
  const saying = pods.filter((pod) => pod.state === state);
  const names = saying.flatMap(({ pod }) => (pod === "" ? [] : pod)).join(", ");
  if (names === "") return isAway(reader) ? NOT_KNOWN : "no pod is ready";
  return saying.length === pods.length ? names : `${saying.length} of ${pods.length}: ${names}`;
}

function tokenOf({ tokenExpiry, reader }: OrderedPair, { isAway, now }: Scene): Part {
  if (tokenExpiry !== undefined) return relative(tokenExpiry, now);
  return isAway(reader) ? NOT_KNOWN : "none";
}

function cellsOf(pair: OrderedPair, scene: Scene): Part[] {
  const { reader, target, state } = pair;
  const through = isThroughGateway(pair) ? html`<small>through a gateway</small>` : undefined;
  const answer = answerWords(pair.probe);
  const asked = answer === undefined ? undefined : html`<small>${answer}</small>`;
  return [
    html`${memberLink(reader, scene)} reads ${memberLink(target, scene)}${through}${asked}`,
    html`<span class="badge ${state}">${stateWord(state)}</span>`,
    podsOf(pair, scene),
    tokenOf(pair, scene),
  ];
}

/** `search reads no peer (missing 3)`, `No peer reads payments (closed 2, timeout 1)`. */
function sentenceOf(gap: Exclude<Gap, { kind: "pair" }>, scene: Scene): Html {
  const member = memberLink(gap.clusterId, scene);
  const tally = countByState(gap.pairs);
  if (tally.unknown === gap.pairs.length) {
    const peers = count(gap.pairs.length, "peer");
    return gap.kind === "reader"
      ? html`Whether ${member} reads its ${peers} is not known`
      : html`Whether ${peers} read ${member} is not known`;
  }
  const counts = describeTally(tally);
  if (tally.unknown > 0) {
    return gap.kind === "reader"
      ? html`${member} is not known to read a peer (${counts})`
      : html`No peer is known to read ${member} (${counts})`;
  }
  return gap.kind === "reader"
    ? html`${member} reads no peer (${counts})`
    : html`No peer reads ${member} (${counts})`;
}

function gapsList(scene: Scene): Part {
  const gaps = scene.gaps.slice(0, GAPS_MAX);
  const pairs = gaps.flatMap((gap) => (gap.kind === "pair" ? gap.pair : []));
  const whole = gaps.flatMap((gap) => (gap.kind === "pair" ? [] : gap));
  return [
    whole.length === 0
      ? undefined
      : html`
<ul class="gaps">${whole.map(
          (gap) => html`
<li>${sentenceOf(gap, scene)}</li>`,
        )}
</ul>`,
    pairs.length === 0
      ? undefined
      : table({
          id: "gaps",
          caption: "Pairs that are not synced",
          head: ["Pair", "State", "istiod pods", "Token ends"],
          rows: pairs.map((pair) => ({ cells: cellsOf(pair, scene) })),
        }),
    more(scene.gaps.length - GAPS_MAX, html`<a href="#matrix">the matrix</a> has them all`),
  ];
}

function description(scene: Scene): string {
  const { members, networks, pairs, tally } = scene;
  const through = pairs.filter(isThroughGateway).length;
  const parts = [
    `${count(members.length, "member")} in ${count(networks, "network")}`,
    `${tally.synced} of ${count(pairs.length - tally.drained, "pair")} synced`,
    through === 0 ? "" : `${count(through, "pair")} through a gateway`,
    describeTally(tally),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function captionOf(scene: Scene): string {
  if (scene.pairs.length === 0) return "Members by network; there is no pair yet.";
  const reads = "An arrow leads from a reader to the target whose API server its istiod watches.";
  const ring = "Where it has a ring, requests pass a gateway of the target's network.";
  const arrow = scene.pairs.some(isThroughGateway) ? `${reads} ${ring}` : reads;
  if (showsEveryPair(scene)) return arrow;
  const drawn = "Only pairs that are not synced are drawn; a short arrow is for all pairs of its member.";
  const hidden = scene.gaps.length - ARROWS_MAX;
  return `${arrow} ${drawn}${hidden > 0 ? ` ${hidden} more arrows are left out.` : ""}`;
}

function map(scene: Scene): Html {
  return html`<figure>
${drawGraph(scene, description(scene))}
</figure>`;
}

function explanation(scene: Scene): Html {
  return html`<p class="hint">${captionOf(scene)}</p>${scene.pairs.length === 0 ? undefined : legend(scene)}`;
}

/** One view of the pairs is open: the map of few members, else the list of what is wrong. */
function views(scene: Scene): Part {
  const { gaps, members, pairs } = scene;
  const isCalm = gaps.length === 0;
  const isMapOpen = isCalm || showsEveryPair(scene);
  const all =
    members.length < 2 ? undefined : fold("matrix", `Matrix of all ${pairs.length} pairs`, matrix(scene));
  if (isCalm) return [map(scene), fold("map-legend", "What the map shows", explanation(scene)), all];
  if (isMapOpen) {
    return [map(scene), explanation(scene), fold("gaps-fold", "The same as a list", gapsList(scene)), all];
  }
  return [gapsList(scene), fold("map", "Map", [map(scene), explanation(scene)]), all];
}

function emptiness({ status, findings }: Scene): Html {
  if (findings.some(({ severity }) => severity !== "info")) {
    return html`<p>No cluster is a member now. <a href="#findings">The findings</a> say why.</p>`;
  }
  return html`<p>No cluster is a member yet. Label one with this mesh’s ID, <code>${status.meshId}</code>, and it joins by itself:</p>
<p>${typed("meshjoin label CLUSTER")}</p>`;
}

export function meshSection(scene: Scene): Html {
  return section({
    id: "mesh",
    title: "Mesh",
    body: scene.members.length === 0 ? emptiness(scene) : views(scene),
  });
}
