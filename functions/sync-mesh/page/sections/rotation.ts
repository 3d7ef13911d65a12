import type { Stage } from "../../../../shared/core/roots/stages.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { clock, momentOf, relative, section, typed, withCommands } from "./parts.ts";

const STEPS: readonly (readonly [Exclude<Stage, "idle">, string])[] = [
  ["distribute", "Every member gets the next root; the previous one still signs."],
  [
    "switch",
    "The next root signs, and every intermediate is issued anew; the previous root is still trusted.",
  ],
  ["retire", "The previous root leaves the bundles; Meshjoin disables it when no member holds it any more."],
];

function progress({ status, now }: Scene): Part {
  const { since, until, loaded } = status.rotation;
  const all = status.members.length;
  return [
    html`
<p><strong>${loaded} of ${all}</strong> members have loaded what this stage gives them.</p>`,
    since === null
      ? undefined
      : html`
<p>Since ${clock(since)}, ${relative(since, now)}.</p>`,
    until === null
      ? html`
<p>When the last certificate of the previous stage ends is not known yet.</p>`
      : html`
<p>The last certificate of the previous stage ends ${relative(until, now)}, ${clock(until)}; this stage is over then at the earliest.</p>`,
  ];
}

function steps(scene: Scene): Html {
  const { stage } = scene.status.rotation;
  const current = STEPS.findIndex(([name]) => name === stage);
  return html`
<ol class="steps">${STEPS.map(([name, meaning], index) => {
    const kind = index < current ? "done" : index === current ? "now" : "later";
    return html`
<li class="${kind}"${kind === "now" ? html` aria-current="step"` : undefined}><strong>${index < current ? "✓ " : undefined}${name}</strong> <span class="muted">${kind === "now" ? "under way" : kind}</span>
<p>${meaning}</p>${kind === "now" ? progress(scene) : undefined}</li>`;
  })}
</ol>`;
}

function pause({ status, now }: Scene): Part {
  const { paused } = status.rotation;
  if (paused === null) return undefined;
  return html`
<p><span class="badge warning">paused</span> A person paused it at ${momentOf(paused, now)}: no stage follows. To go on: ${typed("meshjoin root resume")}</p>`;
}

function blocks({ status }: Scene): Part {
  const { waitingFor } = status.rotation;
  if (waitingFor.length === 0) return undefined;
  return html`
<p><span class="badge warning">blocked</span> <strong>Waiting will not help; fix these:</strong></p>
<ul class="blocks">${waitingFor.map(
    (reason) => html`
<li>${withCommands(reason)}</li>`,
  )}
</ul>`;
}

/** The three stages of a root rotation, and what holds the present one; undefined where none is under way. */
export function rotationSection(scene: Scene): Html | undefined {
  const { stage } = scene.status.rotation;
  if (stage === "idle") return undefined;
  return section({
    id: "rotation",
    title: "Root rotation",
    body: [
      pause(scene),
      blocks(scene),
      steps(scene),
      html`
<ul class="facts hint"><li>See more: ${typed("meshjoin root status")}</li><li>Stop between two stages: ${typed("meshjoin root pause")}</li><li>Go back: ${typed("meshjoin root abort")}</li></ul>`,
    ],
  });
}
