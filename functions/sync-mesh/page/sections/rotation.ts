import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { relative, section } from "./parts.ts";

const STAGES = {
  distribute: "Every member is getting the next root; the previous one still signs.",
  switch: "The next root signs, and every intermediate is issued anew; the previous root is still trusted.",
  retire: "A root has left the bundles; Meshjoin disables it when no member holds it any more.",
} as const;

/** The stage of a root rotation, and the conditions of the next one. */
export function rotationSection({ status, now }: Scene): Html | undefined {
  const { stage, waitingFor, until } = status.rotation;
  if (stage === "idle") return undefined;
  const time =
    until === null
      ? undefined
      : html`
<p>The last certificate of the previous stage expires ${relative(until, now)}.</p>`;
  const waits =
    waitingFor.length === 0
      ? undefined
      : html`
<p>Blocked. Waiting will not help; fix these:</p>
<ul>${waitingFor.map(
          (reason) => html`
<li>${reason}</li>`,
        )}
</ul>`;
  return section({
    id: "rotation",
    title: `Root rotation: ${stage}`,
    body: html`<p>${STAGES[stage]}</p>${time}${waits}`,
  });
}
