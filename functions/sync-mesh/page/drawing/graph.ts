import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { drawFew, FEW } from "./few.ts";
import { px } from "./geometry.ts";
import { drawMany } from "./many.ts";

/** Whether every pair has an arrow; else only pairs that are not synced have one. */
export function showsEveryPair({ members }: Scene): boolean {
  return members.length <= FEW;
}

/** The mesh as one picture; `description` is its alternative text. */
export function drawGraph(scene: Scene, description: string): Html {
  const { box, content } = showsEveryPair(scene) ? drawFew(scene) : drawMany(scene);
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  return html`<svg class="${showsEveryPair(scene) ? "few" : "many"}" role="img" aria-labelledby="graph-title graph-description" width="${px(width)}" height="${px(height)}" viewBox="${px(box.left)} ${px(box.top)} ${px(width)} ${px(height)}">
<title id="graph-title">Members and pairs of mesh ${scene.status.meshId}</title>
<desc id="graph-description">${description}</desc>${content}
</svg>`;
}
