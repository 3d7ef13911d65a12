import type { MemberStatus } from "../../../../shared/core/answers/status.ts";
import type { Gap } from "../facts/gaps.ts";
import { clipped } from "../facts/names.ts";
import { isThroughGateway, sentenceOfPair, stateWord, worstPairState } from "../facts/pairs.ts";
import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import type { Drawing } from "./drawing.ts";
import { ARROW_HEADS, drawEdge, type Edge } from "./edge.ts";
import { asideOf, controlOf, onEllipse, type Point, px } from "./geometry.ts";

/** Along the circle, for one member. */
const SLOT = 21;
const RADIUS_MIN = 120;
const LABEL = { max: 22, perCharacter: 7, air: 13 };
const NETWORK = { max: 24, perCharacter: 7.5 };
/** Of the arrow that represents all of a member's pairs. */
const STUB = { length: 46, aside: 6 };
const DOT_AIR = 9;
/** More arrows than this cannot be told apart. */
export const ARROWS_MAX = 240;

interface Ring {
  readonly radius: number;
  /** The radius at which the members' names end. */
  readonly outer: number;
  readonly slots: readonly Slot[];
}

interface Slot {
  readonly member: MemberStatus;
  /** Clockwise from the top. */
  readonly turns: number;
}

function ringOf({ members, nameOf }: Scene): Ring {
  const networks = [...new Set(members.map(({ network }) => network.name))];
  const gap = networks.length > 1 ? 1.5 : 0;
  const total = members.length + gap * networks.length;
  const radius = Math.max(RADIUS_MIN, (total * SLOT) / (2 * Math.PI));
  const longest = Math.max(...members.map(({ clusterId }) => nameOf(clusterId).length));
  return {
    radius,
    outer: radius + LABEL.air + Math.min(longest, LABEL.max) * LABEL.perCharacter,
    slots: members.map((member, index) => ({
      member,
      turns: (index + gap * networks.indexOf(member.network.name)) / total,
    })),
  };
}

function at(turns: number, radius: number): Point {
  return onEllipse(turns, radius, radius);
}

function drawMember({ member, turns }: Slot, ring: Ring, troubled: boolean, name: string): Html {
  const { x, y } = at(turns, ring.radius);
  const isLeft = turns > 0.5;
  const degrees = turns * 360 - (isLeft ? 270 : 90);
  const distance = (ring.radius + LABEL.air) * (isLeft ? -1 : 1);
  const kind = member.reachable ? (troubled ? "troubled" : "") : "away";
  return html`
<g class="spot ${kind}"><title>${member.clusterId}${member.reachable ? "" : ": unreachable"}</title>
<circle cx="${px(x)}" cy="${px(y)}" r="4.5"/>
<text transform="rotate(${px(degrees)})" x="${px(distance)}" y="4" text-anchor="${isLeft ? "end" : "start"}">${clipped(name, LABEL.max)}</text></g>`;
}

function drawNetwork(network: string, slots: readonly Slot[], { radius, outer }: Ring): Html {
  const half = (SLOT / 2 - 3) / (2 * Math.PI * radius);
  const first = (slots[0]?.turns ?? 0) - half;
  const last = (slots.at(-1)?.turns ?? 0) + half;
  const from = at(first, outer);
  const to = at(last, outer);
  const name = at((first + last) / 2, outer + 12);
  const lean = name.x / outer;
  const anchor = lean > 0.25 ? "start" : lean < -0.25 ? "end" : "middle";
  const d = `M${px(from.x)} ${px(from.y)}A${px(outer)} ${px(outer)} 0 ${last - first > 0.5 ? 1 : 0} 1 ${px(to.x)} ${px(to.y)}`;
  return html`
<g class="network"><title>network ${network}</title><path d="${d}"/>
<text x="${px(name.x)}" y="${px(name.y + 4)}" text-anchor="${anchor}">${clipped(network, NETWORK.max)}</text></g>`;
}

/** One short arrow out of a member that reads no peer, or into one that no peer reads. */
function stub(gap: Exclude<Gap, { kind: "pair" }>, turns: number, radius: number, name: string): Edge {
  const outside = at(turns, radius - DOT_AIR);
  const inside = at(turns, radius - DOT_AIR - STUB.length);
  const [a, b] = gap.kind === "reader" ? [outside, inside] : [inside, outside];
  const aside = asideOf(a, b, STUB.aside);
  const from = { x: a.x + aside.x, y: a.y + aside.y };
  const to = { x: b.x + aside.x, y: b.y + aside.y };
  const state = worstPairState(gap.pairs.map((pair) => pair.state));
  const words = gap.kind === "reader" ? "reads none of its" : "is read by none of its";
  const title = `${name} ${words} ${gap.pairs.length} peers: ${stateWord(state)}`;
  return { from, to, control: from, state, bold: true, title };
}

function edgesOf({ gaps, nameOf }: Scene, { slots, radius }: Ring): Edge[] {
  const turns = new Map(slots.map((slot) => [slot.member.clusterId, slot.turns]));
  return gaps.slice(0, ARROWS_MAX).map((gap) => {
    if (gap.kind !== "pair") {
      return stub(gap, turns.get(gap.clusterId) ?? 0, radius, nameOf(gap.clusterId));
    }
    const { reader, target, state } = gap.pair;
    const from = at(turns.get(reader) ?? 0, radius - DOT_AIR);
    const to = at(turns.get(target) ?? 0, radius - DOT_AIR);
    const title = sentenceOfPair(gap.pair, nameOf);
    const isThrough = isThroughGateway(gap.pair);
    return { from, to, control: controlOf(from, to, 0.6, 5), state, title, isThroughGateway: isThrough };
  });
}

function troubledIds(gaps: readonly Gap[]): ReadonlySet<string> {
  const ids = gaps.flatMap((gap) =>
    gap.kind === "pair" ? [gap.pair.reader, gap.pair.target] : [gap.clusterId],
  );
  return new Set(ids);
}

/** Every member on a circle, and arrows only for unsynced pairs: many good lines hide a bad one. */
export function drawMany(scene: Scene): Drawing {
  const ring = ringOf(scene);
  const troubled = troubledIds(scene.gaps);
  const networks = Map.groupBy(ring.slots, ({ member }) => member.network.name);
  const longest = Math.max(...[...networks.keys()].map((network) => network.length));
  const beside = networks.size > 1 ? Math.min(longest, NETWORK.max) * NETWORK.perCharacter + 16 : 4;
  const above = networks.size > 1 ? 30 : 4;
  const through = scene.pairs.filter(isThroughGateway).length;
  const calm = scene.gaps.length === 0 && scene.pairs.length > 0;
  return {
    box: {
      left: -ring.outer - beside,
      top: -ring.outer - above,
      right: ring.outer + beside,
      bottom: ring.outer + above,
    },
    content: html`${ARROW_HEADS}
<circle class="disc" r="${px(ring.radius)}"/>${edgesOf(scene, ring).map(drawEdge)}${ring.slots.map((slot) =>
      drawMember(slot, ring, troubled.has(slot.member.clusterId), scene.nameOf(slot.member.clusterId)),
    )}${
      networks.size > 1
        ? [...networks].map(([network, slots]) => drawNetwork(network, slots, ring))
        : undefined
    }${
      calm
        ? html`
<text class="calm" y="-4">all synced</text><text class="calm small" y="18">${scene.pairs.length} pairs${through === 0 ? "" : `, ${through} through gateways`}</text>`
        : undefined
    }`,
  };
}
