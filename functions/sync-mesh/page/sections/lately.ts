import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { clock, memberLink, relative, section, table, typed } from "./parts.ts";

/** What the record holds, the newest first. */
export function latelySection(scene: Scene): Html {
  const { lately } = scene.status;
  const body =
    lately.length === 0
      ? html`<p class="empty">Nothing is on record.</p>`
      : html`<ul class="lately">${lately.map(
          ({ at, clusterId, what }) => html`
<li><span class="muted">${relative(at, scene.now)}</span> <p>${clusterId === undefined ? undefined : html`${memberLink(clusterId, scene)}: `}${what}</p> <span class="muted">${clock(at)}</span></li>`,
        )}
</ul>`;
  return section({ id: "lately", title: "What happened lately", body });
}

/** Clusters that have left and whose CA members still trust; undefined if there is none. */
export function leftSection(scene: Scene): Html | undefined {
  const { left } = scene.status;
  if (left.length === 0) return undefined;
  const { now } = scene;
  const list = table({
    id: "left",
    caption: "Clusters that have left",
    head: ["Cluster", "Left", "Trusted"],
    rows: left.map(({ clusterId, since, trustedUntil }) => ({
      cells: [
        memberLink(clusterId, scene),
        html`${relative(since, now)} <small>${clock(since)}</small>`,
        trustedUntil === null
          ? "how long is not known"
          : html`ends ${relative(trustedUntil, now)} <small>${clock(trustedUntil)}</small>`,
      ],
    })),
  });
  const body = html`<p>They hold no credential of a member any more, but their intermediate CA stays valid until it ends. To end that sooner, rotate the root: ${typed("meshjoin root rotate")}</p>${list}`;
  return section({ id: "left", title: "Left, and still trusted", body });
}
