import { toneOf } from "./facts/tone.ts";
import { type Html, html, source } from "./html.ts";
import { iconUrl } from "./icon.ts";
import { CONTENT_SECURITY_POLICY } from "./policy.ts";
import { isRefreshing, type Scene, sceneOf } from "./scene.ts";
import { SCRIPT_ELEMENT } from "./script.ts";
import { actionsSection } from "./sections/actions.ts";
import { expirySection } from "./sections/expiry.ts";
import { findingsSection } from "./sections/findings.ts";
import { bar, foot, HEALTH_WORDS, head } from "./sections/head.ts";
import { itselfSection } from "./sections/itself.ts";
import { lastSyncSection } from "./sections/last-sync.ts";
import { latelySection, leftSection } from "./sections/lately.ts";
import { membersSection } from "./sections/members.ts";
import { meshSection } from "./sections/mesh.ts";
import { rotationSection } from "./sections/rotation.ts";
import { STYLE_ELEMENT } from "./style.ts";
import type { PageView } from "./view.ts";

export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
  /**
   * Value of the header `Refresh`; undefined if the page does not refresh. It names the address, because
   * without one a browser at `#findings` only jumps there again. A load of `/` keeps the scroll position.
   */
  readonly refresh: string | undefined;
}

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly section: Html | undefined;
}

/** In the order of the page: from the whole to its parts, then what was. A requested plan comes first. */
function entriesOf(scene: Scene): Entry[] {
  const plan = { id: "plan", title: "Plan and sync", section: actionsSection(scene) };
  const isAskedFor = scene.plan !== undefined;
  return [
    ...(isAskedFor ? [plan] : []),
    { id: "mesh", title: "Mesh", section: meshSection(scene) },
    { id: "findings", title: "Findings", section: findingsSection(scene) },
    { id: "members", title: "Members", section: membersSection(scene) },
    { id: "left", title: "Left", section: leftSection(scene) },
    { id: "rotation", title: "Root rotation", section: rotationSection(scene) },
    { id: "expiry", title: "Certificates", section: expirySection(scene) },
    ...(isAskedFor ? [] : [plan]),
    { id: "last-sync", title: "Last sync", section: lastSyncSection(scene) },
    { id: "lately", title: "Lately", section: latelySection(scene) },
    { id: "itself", title: "Meshjoin", section: itselfSection(scene) },
  ];
}

/** The whole mesh as one document, complete without its script, and without other resources. */
export function renderPage(view: PageView): Page {
  const scene = sceneOf(view);
  const { health, text } = scene.verdict;
  const entries = entriesOf(scene).filter(({ section }) => section !== undefined);
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${HEALTH_WORDS[health]}: ${text} · ${view.status.meshId} · Meshjoin</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${iconUrl(toneOf(health))}">
${STYLE_ELEMENT}
</head>
<body>
<a class="skip" href="#main">Skip to the mesh</a>${bar(scene, entries)}
<main id="main" tabindex="-1">${head(scene)}${entries.map(({ section }) => section)}
</main>${foot(scene)}
${SCRIPT_ELEMENT}
</body>
</html>
`;
  return {
    html: source(document),
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    refresh: isRefreshing(scene) ? `${view.refreshSeconds}; url=/` : undefined,
  };
}
