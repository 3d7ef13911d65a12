import { massLeavers } from "../../../../shared/core/answers/mass-leave.ts";
import { count } from "../../../../shared/core/count.ts";
import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { relative, section } from "./parts.ts";

/** After a reload Firefox fills even a hidden field with its old value; an old token is refused. */
function csrfField({ csrfToken }: Scene): Html {
  return html`<input type="hidden" name="csrf" value="${csrfToken}" autocomplete="off">`;
}

function lastOutcome({ lastSync, now }: Scene): Html | undefined {
  if (lastSync === undefined) return undefined;
  const { outcome } = lastSync.summary;
  return html`
<p class="hint"><a href="#last-sync">The last sync</a> ended ${relative(lastSync.at, now)}: <span class="badge ${outcome}">${outcome}</span></p>`;
}

/** The plan is the first button, which the Enter key presses: it changes nothing. */
export function actionsSection(scene: Scene): Html {
  const body = html`
<form method="post" action="/actions">
${csrfField(scene)}<input type="hidden" name="scope" value="mesh">
<button name="action" value="plan">Show the plan</button>
<button class="strong" name="action" value="sync">Sync the mesh</button>
</form>${lastOutcome(scene)}
<p class="hint">A plan changes nothing. A sync creates, repairs and removes objects, and answers at its end: that may take a minute.${
    scene.members.length === 0 ? undefined : html` For one member, go to <a href="#members">its row</a>.`
  }</p>`;
  return section({ id: "actions", title: "Plan and sync", body });
}

const ONE = { plan: "plan-one", sync: "sync-one" } as const;

/**
 * The forms of all members' buttons; a button adds its member. A refresh would reset a choice from a list
 * just before a person uses it; a button holds no choice.
 */
export function memberForms(scene: Scene): Html {
  return html`${(["plan", "sync"] as const).map(
    (action) => html`
<form id="${ONE[action]}" method="post" action="/actions">${csrfField(scene)}<input type="hidden" name="action" value="${action}"></form>`,
  )}`;
}

export function memberButtons(clusterId: string, name: string): Html {
  return html`<span class="buttons"><button class="small" form="${ONE.plan}" name="scope" value="${clusterId}" aria-label="Show the plan of ${name}">Plan</button><button class="small" form="${ONE.sync}" name="scope" value="${clusterId}" aria-label="Sync ${name}">Sync</button></span>`;
}

/** Undefined if no `MassLeave` is open. The box only makes the browser ask; its value is not sent. */
export function massLeaveForm(scene: Scene): Html | undefined {
  const leavers = massLeavers([...scene.findings, ...(scene.plan?.findings ?? [])]);
  if (leavers.length === 0) return undefined;
  return html`
<section id="mass-leave" class="alert warning" aria-labelledby="mass-leave-title">
<h2 id="mass-leave-title">${count(leavers.length, "cluster has", "clusters have")} left at once: is that meant?</h2>
<p>Meshjoin removes nothing of theirs until a person confirms it. Confirm only if each of these is to leave mesh ${scene.status.meshId}:</p>
<ul>${leavers.map((clusterId) => html`<li><code>${clusterId}</code></li>`)}</ul>
<form method="post" action="/actions">
${csrfField(scene)}<input type="hidden" name="scope" value="mesh"><input type="hidden" name="confirm" value="MassLeave">
<label class="tick"><input type="checkbox" required> They are meant to leave</label>
<button class="danger" name="action" value="sync">Confirm and sync the mesh</button>
</form>
</section>`;
}
