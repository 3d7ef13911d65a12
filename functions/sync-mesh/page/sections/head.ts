import { drainedIds, isDrained, isHeldAgainst } from "../../../../shared/core/answers/drained.ts";
import type { Finding } from "../../../../shared/core/answers/finding.ts";
import type { Reason } from "../../../../shared/core/answers/reasons.ts";
import type { RunStatus } from "../../../../shared/core/answers/status.ts";
import type { Health } from "../../../../shared/core/answers/verdict.ts";
import { isPast } from "../facts/expiries.ts";
import { countFindings, groupFindings } from "../facts/findings.ts";
import { describeTally, isApart } from "../facts/pairs.ts";
import { type Tone, toneOf } from "../facts/tone.ts";
import { type Html, html, type Part } from "../html.ts";
import { isRefreshing, type Scene } from "../scene.ts";
import { massLeaveForm } from "./actions.ts";
import { OPEN } from "./findings.ts";
import {
  clock,
  cureLine,
  memberLink,
  momentOf,
  relative,
  renewalIn,
  severityBadge,
  typed,
  withCommands,
} from "./parts.ts";

/** Further reasons on the first screen; the section of the findings has them all. */
const MORE_REASONS = 4;

export const HEALTH_WORDS: Readonly<Record<Health, string>> = {
  whole: "Whole",
  degraded: "Degraded",
  broken: "Broken",
};

function tile(name: string, value: Part, note: Part, tone: Tone | "" = ""): Html {
  return html`
<div class="tile ${tone}"><dt>${name}</dt><dd>${value}</dd>${note === undefined || note === "" ? undefined : html`<dd class="note">${note}</dd>`}</div>`;
}

function membersTile({ members }: Scene): Html {
  if (members.length === 0) return tile("Members", "none", "no cluster is a member", "warning");
  const reachable = members.filter((member) => member.reachable);
  return tile(
    "Members",
    html`${reachable.length}<small> of ${members.length} reachable</small>`,
    "",
    members.some((member) => !member.reachable && !isDrained(member)) ? "warning" : "",
  );
}

function pairsTile({ pairs, tally }: Scene): Html {
  if (pairs.length === 0) return tile("Pairs", "none", "a pair takes two members");
  const tone = pairs.some(isApart) ? "error" : "warning";
  const wanted = pairs.length - tally.drained;
  return tile(
    "Pairs",
    html`${tally.synced}<small> of ${wanted} synced</small>`,
    describeTally(tally),
    tally.synced === wanted ? "" : tone,
  );
}

function findingsTile(scene: Scene): Html {
  const { findings } = scene;
  const tone = heldAgainst(scene)[0]?.severity ?? "info";
  return tile(
    "Findings",
    findings.length === 0 ? "none" : html`<a href="#findings">${findings.length}</a>`,
    countFindings(findings),
    tone === "info" ? "" : tone,
  );
}

/** Certificates and tokens renew by themselves, so only what is overdue is news. */
function expiryTile({ status, expiries, now }: Scene): Html | undefined {
  if (expiries.length === 0) return undefined;
  const overdue = expiries.filter((expiry) => isPast(expiry, now)).length;
  if (overdue > 0) return tile("Renewals", html`<a href="#expiry">${overdue} overdue</a>`, "", "error");
  const next = status.nextRenewal === null ? "not known" : renewalIn(status.nextRenewal, now);
  return tile("Next renewal", next, "all renew by themselves; nothing overdue");
}

function rotationTile({ status, now }: Scene): Html {
  const { stage, waitingFor, until, paused } = status.rotation;
  if (stage === "idle") return tile("Root rotation", "none", "none is under way");
  const block =
    waitingFor.length === 0 ? [] : [html`<a href="#rotation">blocked by ${waitingFor.length}</a>`];
  const end = until === null ? [] : [block.length > 0 ? "; " : "", "earliest ", relative(until, now)];
  return paused === null
    ? tile("Root rotation", stage, [block, end])
    : tile("Root rotation", stage, html`<a href="#rotation">paused</a> ${relative(paused, now)}`, "warning");
}

function runTile({ status, now }: Scene): Html {
  const { full } = status.runs;
  if (full === "unknown") return tile("Last full run", "not known", "no run is on record");
  return tile("Last full run", relative(full.at, now), outcomeOf(full));
}

function outcomeOf({ outcome }: RunStatus): Html {
  return html`<a href="#itself"><span class="badge ${outcome}">${outcome}</span></a>`;
}

/** The functions write nothing: that comes before all else that is wrong. */
function pauseBanner({ status, now }: Scene): Html | undefined {
  const { writesPaused } = status;
  if (writesPaused === null) return undefined;
  return html`
<section id="paused" class="alert warning" aria-labelledby="paused-title">
<h2 id="paused-title">${severityBadge("warning")} A person has paused the functions</h2>
<p>They have written nothing since ${momentOf(writesPaused, now)}: nothing joins, leaves or is renewed.</p>
<p class="cure"><strong>Resume</strong> ${typed("meshjoin resume")}</p>
</section>`;
}

/** What the verdict counts. */
function heldAgainst({ findings, members }: Scene): readonly Finding[] {
  const drained = drainedIds(members);
  return findings.filter((each) => isHeldAgainst(each, drained));
}

/** Each of these has a box of its own. */
const BOXED: readonly Reason[] = ["WritesPaused", "MassLeave"];

/** The worst finding with its cure, and the reasons that come after it; nothing if none counts. */
function loudest(scene: Scene): Html | undefined {
  const loud = heldAgainst(scene).filter(({ reason }) => !BOXED.includes(reason));
  const [group, ...others] = groupFindings(loud);
  const first = group?.findings[0];
  if (group === undefined || first === undefined) return undefined;
  const { reason, severity, clusterId, message, cure } = first;
  const rest = others.slice(0, MORE_REASONS).map(
    (other) => html`
<li>${severityBadge(other.severity)} <a href="#${OPEN}-${other.reason}">${other.reason}</a>${other.findings.length > 1 ? ` ${other.findings.length} times` : undefined}</li>`,
  );
  return html`
<section class="alert ${severity}" aria-labelledby="loudest-title">
<h2 id="loudest-title">${severityBadge(severity)} ${reason}${group.findings.length > 1 ? html` <span class="muted">${group.findings.length} times</span>` : undefined}</h2>
<p>${clusterId === undefined ? undefined : html`${memberLink(clusterId, scene)}: `}${withCommands(message)}</p>
${cureLine(cure)}${
  rest.length === 0
    ? undefined
    : html`
<ul class="others">${rest}
</ul>`
}
<p><a href="#findings">${scene.findings.length === 1 ? "The finding" : `All ${scene.findings.length} findings`}</a></p>
</section>`;
}

/** The name of the mesh, its verdict, and the worst that is wrong. */
export function head(scene: Scene): Html {
  const { status, now, verdict } = scene;
  return html`
<div class="head">
<h1><span class="muted">Mesh</span> ${status.meshId}</h1>
<p class="verdict"><span class="badge ${toneOf(verdict.health)}">${HEALTH_WORDS[verdict.health]}</span> <strong>${verdict.text}</strong> <span class="muted">seen ${relative(status.time, now)}, ${clock(status.time)}</span></p>
</div>${pauseBanner(scene)}${loudest(scene)}${massLeaveForm(scene)}
<dl class="tiles">${membersTile(scene)}${pairsTile(scene)}${findingsTile(scene)}${expiryTile(scene)}${rotationTile(scene)}${runTile(scene)}
</dl>`;
}

interface NavigationEntry {
  readonly id: string;
  readonly title: string;
}

/** Links to the sections, and the state of refreshing; stays in sight while the page scrolls. */
export function bar(scene: Scene, entries: readonly NavigationEntry[]): Html {
  const { refreshSeconds, plan } = scene;
  const refreshing = html`Refreshed every ${refreshSeconds} s <a href="/?refresh=off">Stop refreshing</a>`;
  const still =
    plan === undefined
      ? html`Refreshing is stopped <a href="/">Start refreshing</a>`
      : html`Not refreshed while the plan is shown <a href="/">Close the plan</a>`;
  return html`
<header class="bar">
<div>
<nav aria-label="Sections">
<ul>${entries.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul>
</nav>
<p class="refresh">${isRefreshing(scene) ? refreshing : still}</p>
</div>
</header>`;
}

export function foot({ logsUrl, status }: Scene): Html {
  return html`
<footer>
<p>Meshjoin ${status.version}, Istio ${status.istio}</p>
<ul><li><a href="/status">Status as JSON</a></li><li><a href="/plan">Plan as JSON</a></li>${
    logsUrl === undefined ? undefined : html`<li><a href="${logsUrl}" rel="noreferrer">Logs</a></li>`
  }</ul>
</footer>`;
}
