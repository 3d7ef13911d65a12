import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { relative, section } from "./parts.ts";

const STAGES = {
  distribute: "The next root is on its way to every member; the one before still signs.",
  switch: "Another root signs, and every intermediate is issued anew; the one before is still trusted.",
  retire: "A root has left the bundles; it is disabled when no member holds it any more.",
} as const;

/** Of a root rotation that is under way: where it stands, and what has to happen before it goes on. */
export function rotationSection({ status, now }: Scene): Html | undefined {
  const { stage, waitingFor, until } = status.rotation;
  if (stage === "idle") return undefined;
  const time =
    until === null
      ? undefined
      : html`
<p>The last certificate of the stage before ends ${relative(until, now)}.</p>`;
  const waits =
    waitingFor.length === 0
      ? undefined
      : html`
<p>It goes on when this is mended, which waiting alone does not do:</p>
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
