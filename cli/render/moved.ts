import type { Summary } from "../../shared/core/answers/summary.ts";
import type { Stage } from "../../shared/core/roots/stages.ts";
import type { Names, Screen } from "../screen.ts";
import { renderSummary } from "./summary.ts";
import { blocks } from "./words.ts";

/** The result of an order about the root. */
export interface Moved {
  readonly from: Stage;
  readonly to: Stage;
  /** No tick moves the rotation on; only a person does. */
  readonly paused: boolean;
  /** Cluster IDs that no stage of the rotation waits for. */
  readonly without: readonly string[];
  /** The version that signs; null if none does. */
  readonly signing: number | null;
  /** Null if the order was carried out. */
  readonly refused: { readonly code: string; readonly message: string; readonly cure: string } | null;
  /** Of the run that gave the members the new stage. */
  readonly summary?: Summary;
}

/** The stage after an order, or its refusal. */
export function renderMoved(moved: Moved, screen: Screen, names: Names): string {
  const { from, to, paused, signing, refused, summary, without } = moved;
  if (refused !== null) {
    return [screen.paint("red", `Refused: ${refused.code}`), refused.message, `Cure: ${refused.cure}`].join(
      "\n",
    );
  }
  const stage = from === to ? to : `${from} → ${to}`;
  const signs = signing === null ? "" : `; version ${signing} signs`;
  return blocks(
    `Root rotation: ${stage}${paused ? ", paused" : ""}${signs}`,
    without.length === 0 ? "" : `It goes on without ${without.join(", ")}.`,
    summary === undefined ? "" : renderSummary(summary, screen, names),
  );
}
