import type { Health } from "../../../../shared/core/answers/verdict.ts";

export type Tone = "good" | "warning" | "error";

const TONES: Readonly<Record<Health, Tone>> = { whole: "good", degraded: "warning", broken: "error" };

export function toneOf(health: Health): Tone {
  return TONES[health];
}
