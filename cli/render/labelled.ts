import type { Outcome } from "../../shared/core/answers/outcome.ts";
import type { Screen } from "../screen.ts";

/** The result of labelling one cluster. */
export interface Labelled {
  readonly clusterId: string;
  /** `value` is null where the label was taken off. */
  readonly label: { readonly key: string; readonly value: string | null };
  readonly outcome: Extract<Outcome, "updated" | "unchanged">;
}

/** The label, and the next step: a label is no membership yet. */
export function renderLabelled(
  { clusterId, label: { key, value }, outcome }: Labelled,
  { paint }: Screen,
): string {
  const next = "meshjoin status shows its progress.";
  if (outcome === "unchanged") {
    const has = value === null ? `has no label ${key}` : `is labelled already: ${key}=${value}`;
    return `${clusterId} ${has}\n${next}`;
  }
  const now = value === null ? `has no label ${key} now` : `is now labelled ${key}=${value}`;
  return `${paint("green", `${clusterId} ${now}`)}\nThe functions of the mesh make it a member; ${next}`;
}
