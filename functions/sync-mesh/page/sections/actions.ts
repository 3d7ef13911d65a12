import { massLeavers } from "../../../../shared/core/answers/mass-leave.ts";
import type { Plan } from "../../../../shared/core/answers/plan.ts";
import { count } from "../../../../shared/core/count.ts";
import { type SyncOffer, syncOfferOf } from "../facts/sync-offer.ts";
import { type Html, html } from "../html.ts";
import type { Scene } from "../scene.ts";
import { memberLink, relative, section, typed } from "./parts.ts";
import { planBody } from "./plan.ts";

const MESH = "mesh";

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

/** A form that does one thing to one scope. */
function actionForm(scene: Scene, action: "plan" | "sync", scope: string, button: Html): Html {
  return html`
<form method="post" action="/actions">
${csrfField(scene)}<input type="hidden" name="scope" value="${scope}"><input type="hidden" name="action" value="${action}">
${button}
</form>`;
}

/** The button is behind a question that works without a script, and is not the first thing to press. */
function ask(scene: Scene): Html {
  return html`
<details class="ask" id="ask-sync"><summary>Sync the mesh…</summary>
<p>A sync creates, repairs and removes what Meshjoin owns in ${count(scene.members.length, "member")}. It answers at its end: that may take a minute.</p>${actionForm(
    scene,
    "sync",
    MESH,
    html`<button>Yes, sync the mesh now</button>`,
  )}
</details>`;
}

/** The plan that is shown is the question; its button does no more than it shows. */
function carryOut(scene: Scene, { actions }: Plan): Html {
  const changes = count(actions.length, "change");
  return actionForm(
    scene,
    "sync",
    scene.planScope ?? MESH,
    html`<button class="strong">Sync: make ${changes === "1 change" ? "this change" : `these ${changes}`}</button>`,
  );
}

function whyNoSync(offer: SyncOffer, scene: Scene): Html | undefined {
  switch (offer) {
    case "paused":
      return html`<p class="hint">A sync would write nothing: the functions’ writes are paused. To let them write again: ${typed("meshjoin resume")}</p>`;
    case "unreachable": {
      const names = scene.members
        .filter(({ reachable }) => !reachable)
        .map(({ clusterId }, index) => [index === 0 ? "" : ", ", memberLink(clusterId, scene)]);
      return html`<p class="hint">A sync cannot help: Meshjoin does not reach ${names}. <a href="#findings">The findings</a> say what can.</p>`;
    }
    case "no member":
      return html`<p class="hint">There is no member to sync.</p>`;
    case "nothing":
    case "planned":
    case "ask":
      return undefined;
  }
}

/** A requested plan, and what may be done. The first button changes nothing. */
export function actionsSection(scene: Scene): Html {
  const { plan } = scene;
  const offer = syncOfferOf(scene);
  const showPlan =
    plan === undefined ? actionForm(scene, "plan", MESH, html`<button>Show the plan</button>`) : undefined;
  const body = html`${plan === undefined ? undefined : planBody(scene, plan)}
<div class="actions">${showPlan}${offer === "planned" && plan !== undefined ? carryOut(scene, plan) : undefined}${offer === "ask" ? ask(scene) : undefined}
</div>${whyNoSync(offer, scene)}${
    plan === undefined
      ? html`
<p class="hint">A plan changes nothing.${
          scene.members.length === 0
            ? undefined
            : html` For a plan of one member, go to <a href="#members">its row</a>.`
        }</p>`
      : undefined
  }${lastOutcome(scene)}`;
  return section({ id: "plan", title: "Plan and sync", body });
}

const PLAN_ONE = "plan-one";

/**
 * The form of all members' buttons; a button adds its member. A refresh would reset a choice from a list
 * just before a person uses it; a button holds no choice.
 */
export function memberForm(scene: Scene): Html {
  return html`
<form id="${PLAN_ONE}" method="post" action="/actions">${csrfField(scene)}<input type="hidden" name="action" value="plan"></form>`;
}

export function memberButton(clusterId: string, name: string): Html {
  return html`<button class="small" form="${PLAN_ONE}" name="scope" value="${clusterId}" aria-label="Show the plan of ${name}">Plan</button>`;
}

/**
 * Undefined if no `MassLeave` is open. It takes out the clusters that it names, and none that is lost later.
 * The box only makes the browser ask; its value is not sent.
 */
export function massLeaveForm(scene: Scene): Html | undefined {
  const leavers = massLeavers([...scene.findings, ...(scene.plan?.findings ?? [])]);
  if (leavers.length === 0) return undefined;
  return html`
<section id="mass-leave" class="alert error" aria-labelledby="mass-leave-title">
<h2 id="mass-leave-title">${count(leavers.length, "cluster has", "clusters have")} left at once: is that meant?</h2>
<p>Meshjoin removes nothing of theirs until a person confirms it. Confirm only if each of these is to leave mesh ${scene.status.meshId}:</p>
<ul>${leavers.map((clusterId) => html`<li><code>${clusterId}</code></li>`)}</ul>
<form method="post" action="/actions">
${csrfField(scene)}<input type="hidden" name="scope" value="mesh"><input type="hidden" name="leaving" value="${leavers.join(",")}">
<label class="tick"><input type="checkbox" required> They are meant to leave</label>
<button class="danger" name="action" value="sync">Confirm and sync the mesh</button>
</form>
</section>`;
}
