import type { Severity } from "../../../../shared/core/answers/reasons.ts";
import { isKnownTime } from "../../../../shared/core/time.ts";
import { spansOf } from "../facts/commands.ts";
import { absoluteTime, parseTime, relativeTime } from "../facts/times.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";

/** As many hex digits as the command line shows. */
const FINGERPRINT_DIGITS = 12;

export const NOT_KNOWN: Html = html`<span class="muted">not known</span>`;

/** Relative to now, with the exact time as a tooltip; an invalid time is shown as it is. */
export function relative(rfc3339: string, now: Date): Html {
  const time = parseTime(rfc3339);
  if (time === undefined) return html`${rfc3339 === "" ? "not known" : rfc3339}`;
  if (!isKnownTime(rfc3339)) return html`at an unknown time`;
  return html`<time datetime="${rfc3339}" title="${absoluteTime(time)}">${relativeTime(time, now)}</time>`;
}

/** A time and how long ago it was, after "since" or "at". */
export function momentOf(rfc3339: string, now: Date): Html {
  return isKnownTime(rfc3339) ? html`${clock(rfc3339)}, ${relative(rfc3339, now)}` : html`an unknown time`;
}

/** What is due has its turn in the next full run. */
export function renewalIn(rfc3339: string, now: Date): Html {
  const time = parseTime(rfc3339);
  return time !== undefined && time <= now ? html`now due` : relative(rfc3339, now);
}

export function absolute(rfc3339: string): string {
  const time = parseTime(rfc3339);
  return time === undefined ? rfc3339 : absoluteTime(time);
}

/** The exact time in UTC; the script adds the reader's own. */
export function clock(rfc3339: string): Html {
  return parseTime(rfc3339) === undefined
    ? html`${rfc3339}`
    : html`<time class="clock" datetime="${rfc3339}">${absolute(rfc3339)}</time>`;
}

export function severityBadge(severity: Severity): Html {
  return html`<span class="badge ${severity}">${severity === "info" ? "note" : severity}</span>`;
}

/** Its first digits, with the whole as a tooltip. */
export function shortFingerprint(hex: string): Html {
  return html`<code title="${hex}">${hex.slice(0, FINGERPRINT_DIGITS)}</code>`;
}

/** A member's short name as a link to its row; any other cluster's ID. */
export function memberLink(clusterId: string, { members, nameOf }: Scene): Html {
  const isMember = members.some((member) => member.clusterId === clusterId);
  return isMember
    ? html`<a href="#member-${clusterId}" title="${clusterId}">${nameOf(clusterId)}</a>`
    : html`${clusterId}`;
}

/** Selected by one click, and copied by a button where scripts run. */
export function typed(text: string): Html {
  return html`<code class="command">${text}</code>`;
}

/** A sentence with its commands set apart. */
export function withCommands(sentence: string): Html {
  return html`${spansOf(sentence).map(({ kind, text }) => (kind === "command" ? typed(text) : text))}`;
}

export function cureLine(cure: string): Html {
  return html`<p class="cure"><strong>Cure</strong> ${withCommands(cure)}</p>`;
}

/** Details that are folded; `id` is unique on the page, and keeps them open when it loads itself again. */
export function fold(id: string, summary: Part, body: Part): Html {
  return html`
<details class="keep" id="${id}"><summary>${summary}</summary>
${body}
</details>`;
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

interface TableRow {
  /** Unique on the page. */
  readonly id?: string;
  /** The first one is the row's head. */
  readonly cells: readonly Part[];
}

export interface TableOptions {
  /** Unique on the page. */
  readonly id: string;
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly TableRow[];
  readonly kind?: string;
}

function tableRow({ id, cells: [first, ...others] }: TableRow, [, ...head]: readonly string[]): Html {
  const cells = others.map(
    (cell, index) =>
      html`<td role="cell" data-label="${head[index]}">${cell === undefined ? undefined : html`<div>${cell}</div>`}</td>`,
  );
  return html`
<tr role="row"${id === undefined ? undefined : html` id="${id}"`}><th scope="row" role="rowheader">${first}</th>${cells}</tr>`;
}

/**
 * A table in a box that scrolls, by keyboard too, if the table is too wide or too long. On a phone its rows
 * are cards. Boxes of another kind than a table's are no table to a screen reader without the roles.
 */
export function table({ id, caption, head, rows, kind = "" }: TableOptions): Html {
  return html`
<div class="scroll" role="group" aria-labelledby="${id}-caption" tabindex="0">
<table role="table" class="cards ${kind}">
<caption id="${id}-caption"><span>${caption}</span></caption>
<thead role="rowgroup"><tr role="row">${head.map((cell) => html`<th scope="col" role="columnheader">${cell}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => tableRow(row, head))}
</tbody>
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
