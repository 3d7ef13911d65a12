import { headlineOf } from "./facts/headline.ts";
import { type Html, html, source } from "./html.ts";
import { iconUrl } from "./icon.ts";
import { isRefreshing, type Scene, sceneOf } from "./scene.ts";
import { actionsSection, massLeaveForm } from "./sections/actions.ts";
import { expirySection } from "./sections/expiry.ts";
import { findingsSection } from "./sections/findings.ts";
import { bar, foot, head } from "./sections/head.ts";
import { lastSyncSection } from "./sections/last-sync.ts";
import { matrixSection } from "./sections/matrix.ts";
import { membersSection } from "./sections/members.ts";
import { meshSection } from "./sections/mesh.ts";
import { planSection } from "./sections/plan.ts";
import { rotationSection } from "./sections/rotation.ts";
import { CONTENT_SECURITY_POLICY, STYLE_ELEMENT } from "./style.ts";
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

/** In the order of the page: a requested plan, the actions, then the mesh from the whole to its parts. */
function entriesOf(scene: Scene): Entry[] {
  return [
    { id: "plan", title: "Plan", section: planSection(scene) },
    { id: "actions", title: "Plan and sync", section: actionsSection(scene) },
    { id: "mesh", title: "Mesh", section: meshSection(scene) },
    { id: "matrix", title: "Matrix", section: matrixSection(scene) },
    { id: "findings", title: "Findings", section: findingsSection(scene) },
    { id: "rotation", title: "Root rotation", section: rotationSection(scene) },
    { id: "expiry", title: "Certificates", section: expirySection(scene) },
    { id: "members", title: "Members", section: membersSection(scene) },
    { id: "last-sync", title: "Last sync", section: lastSyncSection(scene) },
  ];
}

/** The whole mesh as one document, without scripts or other resources. */
export function renderPage(view: PageView): Page {
  const scene = sceneOf(view);
  const verdict = headlineOf(scene);
  const entries = entriesOf(scene).filter(({ section }) => section !== undefined);
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${verdict.short} · ${view.status.meshId} · Meshjoin</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${iconUrl(verdict.tone)}">
${STYLE_ELEMENT}
</head>
<body>
<a class="skip" href="#main">Skip to the mesh</a>${bar(scene, entries)}
<main id="main" tabindex="-1">${head(scene, verdict)}${massLeaveForm(scene)}${entries.map(({ section }) => section)}
</main>${foot(scene)}
</body>
</html>
`;
  return {
    html: source(document),
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    refresh: isRefreshing(scene) ? `${view.refreshSeconds}; url=/` : undefined,
  };
}
