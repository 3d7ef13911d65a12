import type { Plan, PlannedAction } from "../../../../shared/core/answers/plan.ts";
import { count } from "../../../../shared/core/count.ts";
import { newFindings } from "../facts/findings.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { findingList } from "./findings.ts";
import { memberLink, more, table } from "./parts.ts";

/** A new mesh takes thousands of actions; a program may read them from the JSON. */
const ACTIONS_MAX = 300;
const VERBS = ["create", "update", "delete"] as const;

function cellsOf({ verb, clusterId, object, findings }: PlannedAction, scene: Scene): Part[] {
  const { kind, namespace, name } = object;
  return [
    memberLink(clusterId, scene),
    html`<span class="verb ${verb}">${verb}</span>`,
    html`<div class="object">${kind} <code>${namespace === undefined ? name : `${namespace}/${name}`}</code></div>`,
    findings.length === 0
      ? undefined
      : html`<div class="prose">${findings.map(
          ({ reason, message }) => html`<p><strong>${reason}</strong> ${message}</p>`,
        )}</div>`,
  ];
}

function captionOf({ actions }: Plan): string {
  const verbs = VERBS.map((verb) => [verb, actions.filter((action) => action.verb === verb).length] as const);
  const counts = verbs.filter(([, number]) => number > 0).map(([verb, number]) => `${verb} ${number}`);
  return `A sync would ${counts.join(", ")}`;
}

function actionsTable(plan: Plan, scene: Scene): Part {
  const { actions } = plan;
  return [
    table({
      id: "plan-actions",
      caption: captionOf(plan),
      head: ["Member", "Verb", "Object", "Because"],
      rows: actions.slice(0, ACTIONS_MAX).map((action) => ({ cells: cellsOf(action, scene) })),
    }),
    more(actions.length - ACTIONS_MAX, html`<a href="/plan">the plan as JSON</a> has them all`),
  ];
}

function scopeWords({ planScope = "mesh", nameOf }: Scene): string {
  return planScope === "mesh" ? "" : ` for ${nameOf(planScope)}`;
}

/** A mesh that has lost its members has no changes to make, and is not well. */
function idleWords(scene: Scene, { findings }: Plan): string {
  return findings.some(({ severity }) => severity !== "info")
    ? `A sync would change nothing${scopeWords(scene)}; what is wrong needs something else.`
    : `Nothing is to be done${scopeWords(scene)}.`;
}

/** The plan of a sync, in one line where there is nothing to do; nothing has been changed for it. */
export function planBody(scene: Scene, plan: Plan): Html {
  const isIdle = plan.actions.length === 0;
  const findings = newFindings(plan.findings, scene.findings);
  return html`<p>${isIdle ? idleWords(scene, plan) : `This is the plan${scopeWords(scene)}; nothing has been changed.`}</p>${
    isIdle ? undefined : actionsTable(plan, scene)
  }${
    findings.length === 0
      ? undefined
      : html`
<p class="intro">The plan found ${count(findings.length, "more finding")}:</p>${findingList("plan-finding", findings, scene)}`
  }`;
}
