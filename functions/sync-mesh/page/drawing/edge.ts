import { type PairState, WORST_FIRST } from "../facts/pairs.ts";
import { type Html, html } from "../html.ts";
import { type Point, px } from "./geometry.ts";

/** The arrow heads, one for each state: not every browser gives a marker the colour of its line. */
export const ARROW_HEADS: Html = html`<defs>${WORST_FIRST.map(
  (state) => html`
<marker id="arrow-${state}" class="${state}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .5 7.5 4 0 7.5z"/></marker>`,
)}
</defs>`;

export interface Edge {
  readonly from: Point;
  readonly to: Point;
  readonly control: Point;
  readonly state: PairState;
  /** A tooltip. */
  readonly title: string;
  /** Requests of its pair pass a gateway: a ring on the line. */
  readonly isThroughGateway?: boolean;
  /** It represents many pairs. */
  readonly bold?: boolean;
}

export function drawEdge(edge: Edge): Html {
  const { from, to, control, state, title, bold, isThroughGateway = false } = edge;
  const { x, y } = pointOn(edge, 0.5);
  const d = `M${px(from.x)} ${px(from.y)}Q${px(control.x)} ${px(control.y)} ${px(to.x)} ${px(to.y)}`;
  return html`
<path class="edge ${state}${bold ? " bold" : ""}" d="${d}" marker-end="url(#arrow-${state})"><title>${title}</title></path>${
    isThroughGateway
      ? html`<circle class="edge gate ${state}" cx="${px(x)}" cy="${px(y)}" r="4"><title>${title}</title></circle>`
      : undefined
  }`;
}

/** A point of the line: at 0 it begins, at 1 it ends. */
export function pointOn({ from, to, control }: Edge, share: number): Point {
  const rest = 1 - share;
  const mix = (a: number, b: number, c: number): number =>
    rest * rest * a + 2 * rest * share * b + share * share * c;
  return { x: mix(from.x, control.x, to.x), y: mix(from.y, control.y, to.y) };
}
