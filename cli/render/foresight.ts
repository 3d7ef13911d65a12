import type { DryRun } from "../grave-command.ts";
import type { Names, Screen } from "../screen.ts";
import { renderPlan } from "./plan.ts";
import { blocks } from "./words.ts";

/** The effects in words, and the writes of a command that makes them itself. */
export function renderForesight({ effects, ...plan }: DryRun, screen: Screen, names: Names): string {
  const isBare = plan.actions.length === 0 && plan.findings.length === 0;
  return blocks(effects.join("\n"), isBare ? "" : renderPlan(plan, screen, names));
}
