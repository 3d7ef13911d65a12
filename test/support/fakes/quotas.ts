import { type MeshjoinError, UnavailableError } from "../../../shared/errors.ts";
import type { Quota, Quotas } from "../../../shared/ports/quotas.ts";

/** Quotas in memory, ample until they are set. */
export interface FakeQuotas extends Quotas {
  setCompute(project: string, region: string, metric: string, quota: Quota): void;
  /** The API then answers without it. */
  dropCompute(metric: string): void;
  setRun(project: string, region: string, quotaId: string, limit: number): void;
  /** From now on every call of this method fails with this. */
  fail(method: keyof Quotas, error: MeshjoinError): void;
}

const AMPLE: Readonly<Record<string, Quota>> = {
  CPUS: { limit: 24, usage: 0 },
  CPUS_ALL_REGIONS: { limit: 32, usage: 0 },
  IN_USE_ADDRESSES: { limit: 8, usage: 0 },
  SSD_TOTAL_GB: { limit: 500, usage: 0 },
};
/** Of one region, by project; a metric of the whole project is stored by its own. */
const OF_PROJECT = ["CPUS_ALL_REGIONS"];

export function fakeQuotas(): FakeQuotas {
  const compute = new Map<string, Quota>();
  const dropped = new Set<string>();
  const run = new Map<string, number>();
  const failures = new Map<keyof Quotas, MeshjoinError>();
  const check = (method: keyof Quotas, signal: AbortSignal | undefined) => {
    const failure = failures.get(method);
    if (failure !== undefined) throw failure;
    if (signal?.aborted === true) {
      throw new UnavailableError("the call was cancelled", { code: "Cancelled" });
    }
  };
  const keyOf = (project: string, region: string, metric: string) =>
    OF_PROJECT.includes(metric) ? `${project}/${metric}` : `${project}/${region}/${metric}`;
  return {
    async compute(project, region, signal) {
      check("compute", signal);
      const known = Object.entries(AMPLE).filter(([metric]) => !dropped.has(metric));
      return new Map(
        known.map(([metric, ample]) => [metric, compute.get(keyOf(project, region, metric)) ?? ample]),
      );
    },
    async run(project, region, quotaId, signal) {
      check("run", signal);
      return run.get(`${project}/${region}/${quotaId}`) ?? Number.POSITIVE_INFINITY;
    },
    setCompute: (project, region, metric, quota) => void compute.set(keyOf(project, region, metric), quota),
    dropCompute: (metric) => void dropped.add(metric),
    setRun: (project, region, quotaId, limit) => void run.set(`${project}/${region}/${quotaId}`, limit),
    fail: (method, error) => void failures.set(method, error),
  };
}
