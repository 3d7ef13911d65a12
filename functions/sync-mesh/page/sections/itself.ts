import type { RunStatus } from "../../../../shared/core/answers/status.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { clock, relative, section } from "./parts.ts";

function fact(name: string, value: Part): Html {
  return html`
<li><strong>${name}</strong> <span>${value}</span></li>`;
}

function runOf(run: RunStatus | "unknown", { status, now }: Scene): Part {
  if (run === "unknown") return "not known: no run is on record";
  const other = run.version === status.version ? undefined : `, by Meshjoin ${run.version}`;
  return html`${relative(run.at, now)} <span class="badge ${run.outcome}">${run.outcome}</span> <span class="muted">${clock(run.at)}${other}</span>`;
}

/** Whether Meshjoin is alive, and which one it is. */
export function itselfSection(scene: Scene): Html {
  const { version, istio, runs, writesPaused } = scene.status;
  const body = html`<ul class="itself">${fact("Last full run", runOf(runs.full, scene))}${fact("Last tick", runOf(runs.tick, scene))}${fact(
    "Writes",
    writesPaused === null
      ? "on"
      : html`<span class="badge warning">paused</span> <a href="#paused">${relative(writesPaused, scene.now)}</a>`,
  )}${fact("Version", `Meshjoin ${version}, installs Istio ${istio}`)}
</ul>
<p class="hint">A run is noted when its outcome changes, and else once an hour, so the last one may be younger than this.</p>`;
  return section({ id: "itself", title: "Meshjoin itself", body });
}
