/** How much of something a project may have, and has. */
export interface Quota {
  readonly limit: number;
  readonly usage: number;
}

/** What limits what a project may have in a region, before anything is deployed there. Fails as `ProjectFacts` does. */
export interface Quotas {
  /** Compute Engine's, by metric: the region's (`CPUS`) and the whole project's (`CPUS_ALL_REGIONS`). */
  compute(project: string, region: string, signal?: AbortSignal): Promise<ReadonlyMap<string, Quota>>;
  /** Cloud Run's by ID (`CpuAllocPerProjectRegion`), in the unit of the quota; `Infinity` where there is no limit. */
  run(project: string, region: string, quotaId: string, signal?: AbortSignal): Promise<number>;
}
