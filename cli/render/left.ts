import { sentenceTime } from "../../shared/core/time.ts";
import type { LeaveResult, Left } from "../left.ts";
import type { Names, Screen } from "../screen.ts";
import { renderChanges } from "./summary.ts";
import { blocks } from "./words.ts";

/** Whether the cluster has left, and until when its CA is trusted; then what the run changed to that end. */
export function renderLeft({ left, ...summary }: LeaveResult, screen: Screen, names: Names): string {
  const isSaid = (reason: string, id: string | undefined) =>
    reason === "TrustedLeaver" && id === left.clusterId;
  const findings = summary.findings.filter(({ reason, clusterId }) => !isSaid(reason, clusterId));
  return blocks(sentence(left, screen, names), renderChanges({ ...summary, findings }, screen, names));
}

function sentence(left: Left, { paint }: Screen, names: Names): string {
  const { holders, unseen, unlisted, trustedUntil } = left;
  const name = names(left.clusterId);
  if (holders.length + unseen.length + unlisted.length > 0) {
    const parts = [
      ...(holders.length === 0 ? [] : [`credentials are left on ${holders.map(names).join(", ")}`]),
      ...(unseen.length === 0 ? [] : [`${unseen.map(names).join(", ")} could not be asked`]),
      ...unlisted,
    ];
    return paint("yellow", `${name} has not left everywhere: ${parts.join("; ")}.`);
  }
  const trust =
    trustedUntil === null
      ? "a CA that it may hold is trusted until that ends"
      : `its CA is trusted until ${sentenceTime(trustedUntil)}`;
  return [
    paint("green", `${name} has left: no member holds a credential of it; ${trust}.`),
    "If the mesh must not trust it: meshjoin root rotate",
  ].join("\n");
}
