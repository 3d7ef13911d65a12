import type { Plan, PlannedAction } from "../../../../shared/core/answers/plan.ts";
import { count } from "../../../../shared/core/count.ts";
import { sortFindings } from "../facts/findings.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { findingList } from "./findings.ts";
import { memberLink, more, section, table } from "./parts.ts";

/** A new mesh takes thousands of actions; a program may read them from the JSON. */
const ACTIONS_MAX = 300;
const VERBS = ["create", "update", "delete"] as const;

function row({ verb, clusterId, object, findings }: PlannedAction, scene: Scene): Html {
  const { kind, namespace, name } = object;
  return html`
<tr><th scope="row">${memberLink(clusterId, scene)}</th><td><span class="verb ${verb}">${verb}</span></td><td>${kind} <code>${
    namespace === undefined ? name : `${namespace}/${name}`
  }</code></td><td class="prose">${findings.map(
    ({ reason, message }) => html`<p><strong>${reason}</strong> ${message}</p>`,
  )}</td></tr>`;
}

function captionOf({ actions }: Plan): string {
  const verbs = VERBS.map((verb) => [verb, actions.filter((action) => action.verb === verb).length] as const);
  const counts = verbs.filter(([, number]) => number > 0).map(([verb, number]) => `${verb} ${number}`);
  return `A sync would ${counts.join(", ")}`;
}

function actionsTable(plan: Plan, scene: Scene): Part {
  const { actions } = plan;
  if (actions.length === 0) return html`<p class="empty">There is nothing to do.</p>`;
  return [
    table({
      id: "plan-actions",
      caption: captionOf(plan),
      head: ["Member", "Verb", "Object", "Because"],
      body: html`<tbody>${actions.slice(0, ACTIONS_MAX).map((action) => row(action, scene))}
</tbody>`,
    }),
    more(actions.length - ACTIONS_MAX, html`<a href="/plan">the plan as JSON</a> has them all`),
  ];
}

/** The plan of a sync; undefined if the query asks for none. */
export function planSection(scene: Scene): Html | undefined {
  const { plan } = scene;
  if (plan === undefined) return undefined;
  const findings: Part =
    plan.findings.length === 0
      ? undefined
      : html`
<p class="intro">The plan has ${count(plan.findings.length, "finding")}:</p>${findingList("plan-finding", sortFindings(plan.findings), scene)}`;
  return section({
    id: "plan",
    title: "Plan",
    body: [html`<p class="hint">Meshjoin has changed nothing.</p>`, actionsTable(plan, scene), findings],
  });
}
