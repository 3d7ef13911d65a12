import type { Quota, Quotas } from "../ports/quotas.ts";
import { property } from "./google-client.ts";
import { askProject, type ProjectApiOptions, unreadableAnswer } from "./project-question.ts";

export interface QuotasOptions extends ProjectApiOptions {
  /** Instead of `https://compute.googleapis.com`. */
  readonly computeEndpoint?: string;
}

const COMPUTE = "compute.googleapis.com";
const CLOUD_QUOTAS = "cloudquotas.googleapis.com";

/**
 * Compute Engine tells limit and usage, Cloud Quotas the limit alone.
 * https://cloud.google.com/compute/docs/reference/rest/v1/regions/get,
 * https://cloud.google.com/compute/docs/reference/rest/v1/projects/get,
 * https://cloud.google.com/docs/quotas/reference/rest/v1/projects.locations.services.quotaInfos/get
 */
export function googleQuotas({ computeEndpoint, ...options }: QuotasOptions): Quotas {
  return {
    async compute(project, region, signal) {
      const { accessToken } = options;
      const compute = {
        accessToken,
        ...(computeEndpoint === undefined ? {} : { endpoint: computeEndpoint }),
      };
      const ask = (path: string, permission: string) => {
        const question = {
          api: COMPUTE,
          version: "compute/v1",
          path: `projects/${project}${path}`,
          attempt: `read the quotas of project ${project} in ${region}`,
          permission,
          project,
          consumer: project,
          signal,
        };
        return askProject(compute, question, quotasIn);
      };
      const both = await Promise.all([
        ask("", "compute.projects.get"),
        ask(`/regions/${region}`, "compute.regions.get"),
      ]);
      return new Map(both.flat());
    },
    run(project, region, quotaId, signal) {
      const question = {
        api: CLOUD_QUOTAS,
        path: `projects/${project}/locations/global/services/run.googleapis.com/quotaInfos/${quotaId}`,
        attempt: `read the quota ${quotaId} of project ${project}`,
        permission: "cloudquotas.quotas.get",
        project,
        consumer: project,
        signal,
      };
      return askProject(options, question, (info) => limitIn(info, region));
    },
  };
}

/** `quotaStatusWarning` replaces quotas that Compute Engine could not read. */
function quotasIn(resource: object): [string, Quota][] {
  const quotas = property(resource, "quotas");
  if (!Array.isArray(quotas) || property(resource, "quotaStatusWarning") !== undefined)
    throw unreadableAnswer();
  return quotas.map((quota: unknown) => {
    const [metric, limit, usage] = ["metric", "limit", "usage"].map((name) => property(quota, name));
    if (typeof metric !== "string" || typeof limit !== "number" || typeof usage !== "number") {
      throw unreadableAnswer();
    }
    return [metric, { limit, usage }];
  });
}

/**
 * An entry without dimensions is for the locations that it names; -1 means no limit.
 * https://cloud.google.com/docs/quotas/reference/rest/v1/projects.locations.services.quotaInfos#DimensionsInfo
 */
function limitIn(info: object, region: string): number {
  const infos = property(info, "dimensionsInfos");
  const entries: unknown[] = Array.isArray(infos) ? infos : [];
  const regionOf = (entry: unknown) => property(property(entry, "dimensions"), "region");
  const entry =
    entries.find((each) => regionOf(each) === region) ?? entries.find((each) => regionOf(each) === undefined);
  const locations = property(entry, "applicableLocations");
  const applies = Array.isArray(locations) && (locations.includes(region) || locations.includes("global"));
  if (!applies) throw unreadableAnswer();
  const value = property(property(entry, "details"), "value");
  if (typeof value !== "string" || !/^-?\d+$/.test(value)) throw unreadableAnswer();
  return Number(value) < 0 ? Number.POSITIVE_INFINITY : Number(value);
}
