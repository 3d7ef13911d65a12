import type { Moved } from "../commands/root.ts";
import type { Paint } from "../paint.ts";
import { renderSummary } from "./summary.ts";
import { blocks } from "./words.ts";

/** Where an order has brought the roots, or why nowhere. */
export function renderMoved({ from, to, refused, summary }: Moved, paint: Paint): string {
  if (refused !== null) {
    return [paint("red", `Refused: ${refused.code}`), refused.message, `Cure: ${refused.cure}`].join("\n");
  }
  const stage = from === to ? `Root rotation: ${to}` : `Root rotation: ${from} → ${to}`;
  return blocks(stage, summary === undefined ? "" : renderSummary(summary, paint));
}
