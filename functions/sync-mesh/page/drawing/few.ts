import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import { clipped } from "../facts/names.ts";
import { isThroughGateway, sentenceOfPair, stateWord } from "../facts/pairs.ts";
import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import type { Drawing } from "./drawing.ts";
import { ARROW_HEADS, drawEdge, type Edge } from "./edge.ts";
import {
  type Box,
  boxAround,
  controlOf,
  cornersOf,
  exitOf,
  hullOf,
  onEllipse,
  type Point,
  padded,
  px,
  unionOf,
} from "./geometry.ts";
import { type Label, placeLabels } from "./labels.ts";

const NODE = { width: 176, height: 50 };
/** Between a node and the ends of its arrows. */
const AIR = 8;
/** Half of the polygon's stroke. */
const HULL_PADDING = 14;
const LABEL = { height: 22, perCharacter: 7.5 };
const NAME_MAX = 18;
const PLACE_MAX = 22;
const NETWORK_MAX = 30;
/** Half-axes of the ellipse of nodes, by the number of members. */
const ELLIPSES: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 0],
  [0, 85],
  [165, 115],
  [210, 140],
  [235, 160],
  [250, 180],
  [285, 205],
  [310, 230],
];
/** The most members that are drawn this way. */
export const FEW = ELLIPSES.length - 1;

interface Node extends Point {
  readonly member: MemberStatus;
}

interface Group {
  readonly network: string;
  readonly label: Point;
  /** Of its nodes and its name. */
  readonly boxes: readonly Box[];
}

function place(members: readonly MemberStatus[]): Node[] {
  const [radiusX, radiusY] = ELLIPSES[members.length] ?? [0, 0];
  return members.map((member, index) => ({
    member,
    ...onEllipse(index / members.length, radiusX, radiusY),
  }));
}

/** The name is above the members of a network, or below them in the lower half of the picture. */
function groupOf(network: string, nodes: readonly Node[]): Group {
  const isLow = nodes.reduce((sum, { y }) => sum + y, 0) > 1;
  const outermost = nodes.toSorted((a, b) => (isLow ? b.y - a.y : a.y - b.y))[0] ?? { x: 0, y: 0 };
  const away = NODE.height / 2 + LABEL.height / 2 + 2;
  const label = { x: outermost.x, y: outermost.y + (isLow ? away : -away) };
  const width = clipped(network, NETWORK_MAX).length * LABEL.perCharacter;
  const boxes = nodes.map((node) => boxAround(node, NODE.width, NODE.height));
  return { network, label, boxes: [...boxes, boxAround(label, width, LABEL.height)] };
}

function drawGroup({ network, label, boxes }: Group, isOnly: boolean): Html {
  const outline = isOnly ? cornersOf(unionOf(boxes)) : hullOf(boxes.flatMap(cornersOf));
  const points = outline.map(({ x, y }) => `${px(x)},${px(y)}`);
  return html`
<g class="network"><title>network ${network}</title><polygon points="${points.join(" ")}"/>
<text x="${px(label.x)}" y="${px(label.y + 4)}">${clipped(network, NETWORK_MAX)}</text></g>`;
}

function drawNode({ member, x, y }: Node, { nameOf }: Scene): Html {
  const { left, top } = boxAround({ x, y }, NODE.width, NODE.height);
  const { clusterId, location, reachable } = member;
  return html`
<g class="node ${reachable ? "" : "away"}"><title>${clusterId}</title>
<rect x="${px(left)}" y="${px(top)}" width="${NODE.width}" height="${NODE.height}" rx="9"/>
<text class="name" x="${px(x)}" y="${px(y - 3)}">${clipped(nameOf(clusterId), NAME_MAX)}</text>
<text x="${px(x)}" y="${px(y + 15)}">${clipped(reachable ? location : "unreachable", PLACE_MAX)}</text></g>`;
}

function edgesOf(nodes: readonly Node[], { pairs, nameOf }: Scene): Edge[] {
  const byId = new Map(nodes.map((node) => [node.member.clusterId, node]));
  const isPair = nodes.length === 2;
  return pairs.flatMap((pair) => {
    const { reader, target, state } = pair;
    const a = byId.get(reader);
    const b = byId.get(target);
    if (a === undefined || b === undefined) return [];
    const control = controlOf(a, b, 0.28, isPair ? 26 : 15);
    const width = NODE.width + AIR;
    const height = NODE.height + AIR;
    return {
      from: exitOf(a, width, height, control),
      to: exitOf(b, width, height, control),
      control,
      state,
      title: sentenceOfPair(pair, nameOf),
      isThroughGateway: isThroughGateway(pair),
    };
  });
}

function drawLabel({ edge, word, at }: Label): Html {
  return html`
<text class="state ${edge.state}" x="${px(at.x)}" y="${px(at.y + 4)}">${word}</text>`;
}

/** Every member as a box, every pair as an arrow, with its state if it is not synced. */
export function drawFew(scene: Scene): Drawing {
  const nodes = place(scene.members);
  const groups = [...Map.groupBy(nodes, ({ member }) => member.network.name)].map(([network, ofNetwork]) =>
    groupOf(network, ofNetwork),
  );
  const edges = edgesOf(nodes, scene);
  const troubled = edges.filter(({ state }) => state !== "synced");
  const synced = edges.filter(({ state }) => state === "synced");
  // The box of a member says already that its pairs are not known.
  const worded = troubled.filter(({ state }) => state !== "unknown");
  const labels = placeLabels(
    worded.map((edge) => ({ edge, word: stateWord(edge.state) })),
    edges,
    groups.flatMap(({ boxes }) => boxes),
  );
  return {
    box: padded(unionOf(groups.flatMap(({ boxes }) => boxes)), HULL_PADDING + 2),
    content: html`${ARROW_HEADS}${groups.map((group) => drawGroup(group, groups.length === 1))}${[...synced, ...troubled].map(drawEdge)}${nodes.map(
      (node) => drawNode(node, scene),
    )}${labels.map(drawLabel)}`,
  };
}
