import type { Outcome } from "../../../../shared/core/answers/outcome.ts";
import { count } from "../../../../shared/core/count.ts";
import { newFindings } from "../facts/findings.ts";
import { type Html, html, type Part } from "../html.ts";
import type { Scene } from "../scene.ts";
import { findingList } from "./findings.ts";
import { memberLink, relative, section } from "./parts.ts";

const SENTENCES: Readonly<Record<Outcome, string>> = {
  unchanged: "Nothing had to change.",
  created: "Missing objects were created.",
  updated: "Outdated objects were updated.",
  deleted: "Objects of clusters that have left were deleted.",
  waiting: "Not complete: a later run goes on.",
  failed: "An action failed: see the findings.",
};
const LOUD: readonly Outcome[] = ["failed", "waiting"];

/** `2 unchanged, 1 created`. */
function counts(outcomes: readonly Outcome[]): string {
  return [...Map.groupBy(outcomes, (outcome) => outcome)]
    .map(([outcome, all]) => `${all.length} ${outcome}`)
    .join(", ");
}

function fact(name: string, outcomes: readonly Outcome[]): Part {
  return outcomes.length === 0
    ? undefined
    : html`
<li><strong>${name}</strong> ${counts(outcomes)}</li>`;
}

/** Undefined if this instance of the function has run none. */
export function lastSyncSection(scene: Scene): Html | undefined {
  const { lastSync, now } = scene;
  if (lastSync === undefined) return undefined;
  const { outcome, members, pairs, findings } = lastSync.summary;
  const loud = members.filter((member) => LOUD.includes(member.outcome));
  const all = [...findings, ...members.flatMap((member) => member.findings)];
  const gone = newFindings(all, scene.findings);
  const body: Part = [
    html`<p><span class="badge ${outcome}">${outcome}</span> ${relative(lastSync.at, now)}. ${SENTENCES[outcome]}</p>
<ul class="facts">${fact(
      "Members",
      members.map((member) => member.outcome),
    )}${fact(
      "Pairs",
      pairs.map((pair) => pair.outcome),
    )}${
      loud.length === 0
        ? undefined
        : html`
<li><strong>Not complete</strong> ${loud.map((member, index) => [index === 0 ? "" : ", ", memberLink(member.clusterId, scene)])}</li>`
    }
</ul>`,
    all.length === 0
      ? undefined
      : html`
<p>It found ${count(all.length, "finding")}; <a href="#findings">${all.length - gone.length} of them</a> ${all.length - gone.length === 1 ? "is" : "are"} still open.</p>`,
    gone.length === 0 ? undefined : findingList("last-finding", gone, scene),
  ];
  return section({ id: "last-sync", title: "Last sync", body });
}
