import type { Outcome } from "../../shared/core/answers/outcome.ts";
import type { Screen } from "../screen.ts";

/** The result of labelling one cluster. */
export interface Labelled {
  readonly clusterId: string;
  readonly label: { readonly key: string; readonly value: string };
  readonly outcome: Extract<Outcome, "updated" | "unchanged">;
}

/** The label, and the next step: a label is no membership yet. */
export function renderLabelled(
  { clusterId, label: { key, value }, outcome }: Labelled,
  { paint }: Screen,
): string {
  return outcome === "unchanged"
    ? `${clusterId} is labelled already: ${key}=${value}\nmeshjoin status shows its progress.`
    : `${paint("green", `${clusterId} is now labelled ${key}=${value}`)}\nThe functions of the mesh make it a member; meshjoin status shows its progress.`;
}
