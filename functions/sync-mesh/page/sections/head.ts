import { describeTally } from "../facts/connections.ts";
import type { Expiry } from "../facts/expiries.ts";
import { countFindings } from "../facts/findings.ts";
import type { Headline } from "../facts/headline.ts";
import { type Html, html, type Part } from "../html.ts";
import { isRefreshing, type Scene } from "../scene.ts";
import { absolute, memberLink, relative, severityBadge } from "./parts.ts";

function tile(name: string, value: Part, note: Part, tone = ""): Html {
  return html`
<div class="tile ${tone}"><dt>${name}</dt><dd>${value}</dd>${note === undefined || note === "" ? undefined : html`<dd class="note">${note}</dd>`}</div>`;
}

function membersTile({ members }: Scene): Html {
  const away = members.filter(({ reachable }) => !reachable).length;
  return tile("Members", members.length, away === 0 ? "" : `${away} unreachable`, away === 0 ? "" : "error");
}

function pairsTile({ connections, tally }: Scene): Html {
  const isWhole = tally.synced === connections.length;
  return tile(
    "Pairs synced",
    connections.length === 0 ? "none" : html`${tally.synced}<small> of ${connections.length}</small>`,
    describeTally(tally),
    isWhole ? "" : "warning",
  );
}

function findingsTile({ findings }: Scene): Html {
  const tone = findings[0]?.severity ?? "";
  return tile(
    "Findings",
    findings.length === 0 ? "none" : html`<a href="#findings">${findings.length}</a>`,
    countFindings(findings),
    tone === "info" ? "" : tone,
  );
}

function owner(expiry: Expiry, { nameOf }: Scene): string {
  switch (expiry.kind) {
    case "root":
      return "root CA";
    case "intermediate":
      return `intermediate CA of ${nameOf(expiry.clusterId)}`;
    case "token":
      return `token of ${nameOf(expiry.reader)} for ${nameOf(expiry.target)}`;
  }
}

function expiryTile(scene: Scene): Html | undefined {
  const [next] = scene.expiries;
  return next === undefined
    ? undefined
    : tile("Next to expire", relative(next.at, scene.now), owner(next, scene));
}

function rotationTile(scene: Scene): Html {
  const { stage, waitingFor, until } = scene.status.rotation;
  const block =
    waitingFor.length === 0 ? [] : [html`<a href="#rotation">blocked by ${waitingFor.length}</a>`];
  const end = until === null ? [] : [block.length > 0 ? "; " : "", "earliest ", relative(until, scene.now)];
  return tile("Root rotation", stage, stage === "idle" ? "" : [block, end]);
}

/** The first of the sorted findings, unless it is only a note. */
function loudest(scene: Scene): Html | undefined {
  const { findings } = scene;
  const [first] = findings;
  if (first === undefined || first.severity === "info") return undefined;
  const { reason, severity, clusterId, message, cure } = first;
  return html`
<section class="alert ${severity}" aria-labelledby="loudest-title">
<h2 id="loudest-title">${severityBadge(severity)} ${reason}</h2>
<p>${clusterId === undefined ? undefined : html`${memberLink(clusterId, scene)}: `}${message}</p>
<p class="cure"><strong>Cure</strong> ${cure}</p>
${findings.length > 1 ? html`<p><a href="#findings">All ${findings.length} findings</a></p>` : undefined}
</section>`;
}

/** The name of the mesh, its verdict and its worst finding. */
export function head(scene: Scene, verdict: Headline): Html {
  const { status, now } = scene;
  const tone = verdict.isEmpty && verdict.tone === "good" ? "" : verdict.tone;
  return html`
<div class="head">
<h1><span class="muted">Mesh</span> ${status.meshId}</h1>
<p class="verdict"><span class="badge ${tone}">${verdict.text}</span> <span class="muted">seen ${relative(status.time, now)}, ${absolute(status.time)}</span></p>
</div>
<dl class="tiles">${membersTile(scene)}${pairsTile(scene)}${findingsTile(scene)}${expiryTile(scene)}${rotationTile(scene)}
</dl>${loudest(scene)}`;
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
<p>Meshjoin ${status.version} keeps mesh ${status.meshId}.</p>
<ul><li><a href="/status">Status as JSON</a></li><li><a href="/plan">Plan as JSON</a></li>${
    logsUrl === undefined ? undefined : html`<li><a href="${logsUrl}" rel="noreferrer">Logs</a></li>`
  }</ul>
</footer>`;
}
