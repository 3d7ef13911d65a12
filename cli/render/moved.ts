import type { Moved } from "../commands/root.ts";
import type { Paint } from "../paint.ts";
import { renderSummary } from "./summary.ts";
import { blocks } from "./words.ts";

/** Where an order has brought the roots, or why nowhere. */
export function renderMoved({ from, to, paused, signing, refused, summary }: Moved, paint: Paint): string {
  if (refused !== null) {
    return [paint("red", `Refused: ${refused.code}`), refused.message, `Cure: ${refused.cure}`].join("\n");
  }
  const stage = from === to ? to : `${from} → ${to}`;
  const signs = signing === null ? "" : `; version ${signing} signs`;
  return blocks(
    `Root rotation: ${stage}${paused ? ", paused" : ""}${signs}`,
    summary === undefined ? "" : renderSummary(summary, paint),
  );
}
