export const TIER_NAMES = ["unit", "contract", "integration"] as const;
export type TierName = (typeof TIER_NAMES)[number];

export interface Tier {
  readonly name: TierName;
  readonly folder: string;
  /** Real API servers or Istio's own tools are needed. */
  readonly needsBinaries: boolean;
  /** Sidecars run, of an Envoy that is downloaded. */
  readonly needsSidecars: boolean;
  /** The functions run from `dist/`. */
  readonly needsBundle: boolean;
  /** Taken together, its scenarios use every permission that Terraform grants. */
  readonly provesPermissions: boolean;
  /** A page is looked at in Chromium, if there is one. */
  readonly needsBrowser: boolean;
  /**
   * How long the tier may take on two cores once the binaries are built. A tier that is over it is reported,
   * not failed: a busy machine is no fault of the code.
   */
  readonly budgetSeconds: number;
  /** Files at the same time, as Jest's `maxWorkers`. */
  readonly workers: string;
}

/** Jest alone would leave one idle, and that is half of a machine with two. */
const EVERY_CORE = "100%";
/**
 * One alone leaves cores idle while it waits for its clusters; a third would take memory that a laptop
 * may not have.
 */
const TWO_FLEETS = "2";

export const TIERS: readonly Tier[] = [
  {
    name: "unit",
    folder: "test/unit",
    needsBinaries: false,
    needsSidecars: false,
    needsBundle: false,
    provesPermissions: false,
    needsBrowser: false,
    budgetSeconds: 120,
    workers: EVERY_CORE,
  },
  {
    name: "contract",
    folder: "test/contract",
    needsBinaries: true,
    needsSidecars: false,
    needsBundle: false,
    provesPermissions: false,
    needsBrowser: true,
    budgetSeconds: 300,
    workers: EVERY_CORE,
  },
  {
    name: "integration",
    folder: "test/integration",
    needsBinaries: true,
    needsSidecars: true,
    needsBundle: true,
    provesPermissions: true,
    needsBrowser: false,
    budgetSeconds: 900,
    workers: TWO_FLEETS,
  },
];

export function isTierName(name: string): name is TierName {
  return TIER_NAMES.some((each) => each === name);
}
