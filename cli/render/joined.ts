import { count } from "../../shared/core/count.ts";
import type { Joined, JoinResult } from "../joined.ts";
import type { Names, Screen } from "../screen.ts";
import { renderChanges } from "./summary.ts";
import { blocks } from "./words.ts";

/** Whether the cluster is a member with all its pairs; then what the run changed to that end. */
export function renderJoined({ joined, ...summary }: JoinResult, screen: Screen, names: Names): string {
  return blocks(sentence(joined, screen, names), renderChanges(summary, screen, names));
}

function sentence({ clusterId, pairs, synced, missing }: Joined, { paint }: Screen, names: Names): string {
  const name = names(clusterId);
  if (missing !== null) {
    return paint(
      "yellow",
      `${name} has not joined everywhere: ${synced} of ${count(pairs, "pair")} synced; ${missing}.\nTo wait for it: meshjoin status --wait=${name}`,
    );
  }
  const all = pairs === 0 ? "it is the only one" : `all ${pairs} of its pairs are synced`;
  return paint("green", `${name} is a member: ${all}.`);
}
