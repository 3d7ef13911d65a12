import type { DrainedNow, DrainResult } from "../drained.ts";
import type { Names, Screen } from "../screen.ts";
import { renderChanges } from "./summary.ts";
import { blocks } from "./words.ts";

/** Whether the peers do as was wanted; then what the run changed to that end. */
export function renderDrained({ drain, ...summary }: DrainResult, screen: Screen, names: Names): string {
  const findings = summary.findings.filter(({ reason }) => reason !== "Drained");
  const isRefused = drain.state === "drained" && findings.some(({ reason }) => reason === "MassDrain");
  const said = isRefused ? refusal(drain, screen, names) : sentence(drain, screen, names);
  return blocks(said, renderChanges({ ...summary, findings }, screen, names));
}

/** No later run goes on with it. */
function refusal({ clusterId }: DrainedNow, { paint }: Screen, names: Names): string {
  return paint(
    "yellow",
    `${names(clusterId)} is not drained, and nothing was written: it needs a confirmation.`,
  );
}

function sentence(drain: DrainedNow, { paint }: Screen, names: Names): string {
  const { state, readers, without, unseen, unlisted } = drain;
  const name = names(drain.clusterId);
  const silent = unseen.length === 0 ? [] : [`${unseen.map(names).join(", ")} could not be asked`];
  const away = [...silent, ...unlisted];
  if (state === "drained") {
    const left = readers.length === 0 ? [] : [`${readers.map(names).join(", ")} still reads it`];
    const parts = [...left, ...away];
    return parts.length === 0
      ? paint("green", `${name} is drained: no peer reads it. To bring it back: meshjoin undrain ${name}`)
      : paint("yellow", `${name} is not drained everywhere: ${parts.join("; ")}. Each full run goes on.`);
  }
  const left = without.length === 0 ? [] : [`${without.map(names).join(", ")} does not read it yet`];
  const parts = [...left, ...away];
  return parts.length === 0
    ? paint("green", `${name} serves again: every peer reads it.`)
    : paint("yellow", `${name} comes back: ${parts.join("; ")}. Each full run goes on.`);
}
