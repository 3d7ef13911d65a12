/** A `Quota` of the API; https://cloud.google.com/compute/docs/reference/rest/v1/regions */
export interface ComputeQuota {
  readonly metric: string;
  readonly limit: number;
  readonly usage: number;
}

/** What new projects are seen to have. Nothing here uses any of it: nodes of the sandbox are no machines. */
const OF_REGION: Readonly<Record<string, number>> = { CPUS: 24, IN_USE_ADDRESSES: 8, SSD_TOTAL_GB: 500 };
const OF_PROJECT: Readonly<Record<string, number>> = { CPUS_ALL_REGIONS: 32 };

export interface ComputeQuotas {
  ofRegion(project: string, region: string): readonly ComputeQuota[];
  ofProject(project: string): readonly ComputeQuota[];
  /** Without a region the whole project's. */
  set(project: string, region: string | undefined, quota: ComputeQuota): void;
}

export function createComputeQuotas(): ComputeQuotas {
  const changed = new Map<string, ComputeQuota>();
  const all = (where: string, limits: Readonly<Record<string, number>>) =>
    Object.entries(limits).map(
      ([metric, limit]) => changed.get(`${where}/${metric}`) ?? { metric, limit, usage: 0 },
    );
  return {
    ofRegion: (project, region) => all(`${project}/${region}`, OF_REGION),
    ofProject: (project) => all(project, OF_PROJECT),
    set(project, region, quota) {
      const where = region === undefined ? project : `${project}/${region}`;
      changed.set(`${where}/${quota.metric}`, quota);
    },
  };
}
