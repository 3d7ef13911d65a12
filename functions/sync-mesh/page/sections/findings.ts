import type { Finding } from "../../../../shared/core/answers/finding.ts";
import { REASONS, type Reason } from "../../../../shared/core/answers/reasons.ts";
import { count } from "../../../../shared/core/count.ts";
import { isCommand } from "../facts/commands.ts";
import { countFindings, type FindingGroup, groupFindings } from "../facts/findings.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { cureLine, fold, memberLink, more, section, severityBadge, typed, withCommands } from "./parts.ts";

/** A longer list of one reason scrolls in its own box, so that the other reasons stay in sight. */
const LONG = 10;
/** Of one reason; a program may read more of them from the JSON. */
const SHOWN_MAX = 100;

/** The cure that all findings of a group share. */
function commonCure({ findings }: FindingGroup): string | undefined {
  const cures = new Set(findings.map(({ cure }) => cure));
  return findings.length > 1 && cures.size === 1 ? [...cures][0] : undefined;
}

function item({ clusterId, message, cure }: Finding, isCommon: boolean, scene: Scene): Html {
  return html`
<li${isCommon ? html` class="brief"` : undefined}><p>${clusterId === undefined ? "the mesh" : memberLink(clusterId, scene)}</p><p>${withCommands(message)}</p>${isCommon ? undefined : cureLine(cure)}</li>`;
}

function box(group: FindingGroup, id: string, content: Html): Html {
  return group.findings.length > LONG
    ? html`
<div class="scroll" role="group" aria-labelledby="${id}" tabindex="0">${content}</div>`
    : content;
}

/** Text of the reference, in which backticks mark code and commands. */
function reference(text: string): Part {
  return text.split("`").map((part, index) => {
    if (index % 2 === 0) return part;
    return isCommand(part) ? typed(part) : html`<code>${part}</code>`;
  });
}

/** The entry of the reference, so that nobody has to find it in the night. */
function meaning(reason: Reason, id: string): Html {
  const { means, cure } = REASONS[reason];
  return fold(
    `${id}-means`,
    html`What ${reason} means`,
    html`<p>${reference(means)}</p>
<p>${reference(cure)}</p>
<p class="muted">The same at the command line: ${typed(`meshjoin explain ${reason}`)}. All reasons: <code>docs/reference/reasons.md</code></p>`,
  );
}

function drawGroup(group: FindingGroup, prefix: string, scene: Scene): Html {
  const { reason, severity, findings } = group;
  const cure = commonCure(group);
  const id = `${prefix}-${reason}`;
  const items = html`
<ul>${findings.slice(0, SHOWN_MAX).map((finding) => item(finding, cure !== undefined, scene))}
</ul>`;
  const left = html`<a href="/status">the status as JSON</a> has them all`;
  return html`
<div class="group">
<h3 id="${id}">${severityBadge(severity)} ${reason}${findings.length > 1 ? html` <span class="muted">${findings.length} times</span>` : undefined}</h3>${
    cure === undefined ? undefined : cureLine(cure)
  }${box(group, id, items)}${more(findings.length - SHOWN_MAX, left)}${meaning(reason, id)}
</div>`;
}

/** Sorted findings by reason, with a shared cure once. `prefix` keeps the IDs of two such lists apart. */
export function findingList(prefix: string, findings: readonly Finding[], scene: Scene): Html {
  return html`
<div class="findings">${groupFindings(findings).map((group) => drawGroup(group, prefix, scene))}
</div>`;
}

/** The list on this page that has every open finding. */
export const OPEN = "finding";

export function findingsSection(scene: Scene): Html {
  const { findings } = scene;
  const content: Part =
    findings.length === 0
      ? html`<p class="empty">No findings.</p>`
      : [
          html`<p>${count(findings.length, "open finding")}: ${countFindings(findings)}</p>`,
          findingList(OPEN, findings, scene),
        ];
  return section({ id: "findings", title: "Findings", body: content });
}
