import type { Severity } from "../../../../shared/core/answers/reasons.ts";
import { absoluteTime, parseTime, relativeTime } from "../facts/times.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";

/** Relative to now, with the exact time as a tooltip; an invalid time is shown as it is. */
export function relative(rfc3339: string, now: Date): Html {
  const time = parseTime(rfc3339);
  if (time === undefined) return html`${rfc3339 === "" ? "not known" : rfc3339}`;
  return html`<time datetime="${rfc3339}" title="${absoluteTime(time)}">${relativeTime(time, now)}</time>`;
}

export function absolute(rfc3339: string): string {
  const time = parseTime(rfc3339);
  return time === undefined ? rfc3339 : absoluteTime(time);
}

export function severityBadge(severity: Severity): Html {
  return html`<span class="badge ${severity}">${severity === "info" ? "note" : severity}</span>`;
}

/** Its first 8 digits, with the whole as a tooltip. */
export function shortFingerprint(hex: string): Html {
  return html`<code title="${hex}">${hex.slice(0, 8)}</code>`;
}

/** A member's short name as a link to its row; any other cluster's ID. */
export function memberLink(clusterId: string, { members, nameOf }: Scene): Html {
  const isMember = members.some((member) => member.clusterId === clusterId);
  return isMember
    ? html`<a href="#member-${clusterId}" title="${clusterId}">${nameOf(clusterId)}</a>`
    : html`${clusterId}`;
}

export interface SectionOptions {
  readonly id: string;
  readonly title: string;
  readonly body: Part;
}

export function section({ id, title, body }: SectionOptions): Html {
  return html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>`;
}

export interface TableOptions {
  /** Unique on the page. */
  readonly id: string;
  readonly caption: string;
  readonly head: readonly string[];
  /** Rows, or whole bodies of rows. */
  readonly body: Part;
  readonly kind?: string;
}

/** A table in a box that scrolls, by keyboard too, if the table is too wide or too long. */
export function table({ id, caption, head, body, kind = "" }: TableOptions): Html {
  return html`
<div class="scroll" role="group" aria-labelledby="${id}-caption" tabindex="0">
<table class="${kind}">
<caption id="${id}-caption"><span>${caption}</span></caption>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
${body}
</table>
</div>`;
}

/** The number of items that are not shown; undefined if there are none. */
export function more(hidden: number, elsewhere?: Html): Html | undefined {
  return hidden > 0
    ? html`
<p class="hint">And ${hidden} more${elsewhere === undefined ? "" : [": ", elsewhere]}.</p>`
    : undefined;
}
