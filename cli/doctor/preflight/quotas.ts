import { type Check, fault, fine, unknown } from "../../../shared/core/answers/check.ts";
import type { Quotas } from "../../../shared/ports/quotas.ts";
import { notKnown, type Questions } from "./question.ts";

const SUBJECT = { name: "quotas", account: "caller" } as const;

/** The requests of Terraform without options: terraform/variables.tf and terraform/modules/functions. */
export const FUNCTION = { instances: 10, cpu: 1, memoryMi: 512 } as const;
/** The first cluster of docs/deploy.md. Its balanced disks count as SSD, e2 machines count on `CPUS`. */
export const FIRST_CLUSTER = { nodes: 2, machineType: "e2-standard-2", cpus: 2, diskGb: 50 } as const;
/** Terraform's default. */
export const DEFAULT_REGION = "europe-west1";

interface Need {
  /** In `gcloud quotas`. */
  readonly quotaId: string;
  readonly amount: number;
  readonly unit: string;
}

/** Cloud Run refuses each function by itself: https://cloud.google.com/run/quotas */
const RUN_NEEDS: readonly Need[] = [
  { quotaId: "CpuAllocPerProjectRegion", amount: FUNCTION.instances * FUNCTION.cpu * 1000, unit: "mCPU" },
  {
    quotaId: "MemAllocPerProjectRegion",
    amount: FUNCTION.instances * FUNCTION.memoryMi * 2 ** 20,
    unit: "B",
  },
];

interface ComputeNeed extends Need {
  readonly metric: string;
  readonly isOfRegion: boolean;
}

/** https://cloud.google.com/compute/resource-usage; the IDs are those of the Cloud Quotas API. */
const CLUSTER_NEEDS: readonly ComputeNeed[] = [
  compute("CPUS", "CPUS-per-project-region", FIRST_CLUSTER.nodes * FIRST_CLUSTER.cpus, "CPU"),
  compute(
    "SSD_TOTAL_GB",
    "SSD-TOTAL-GB-per-project-region",
    FIRST_CLUSTER.nodes * FIRST_CLUSTER.diskGb,
    "GB",
  ),
  compute("IN_USE_ADDRESSES", "IN-USE-ADDRESSES-per-project-region", FIRST_CLUSTER.nodes, "addresses"),
  {
    ...compute(
      "CPUS_ALL_REGIONS",
      "CPUS-ALL-REGIONS-per-project",
      FIRST_CLUSTER.nodes * FIRST_CLUSTER.cpus,
      "CPU",
    ),
    isOfRegion: false,
  },
];

function compute(metric: string, quotaId: string, amount: number, unit: string): ComputeNeed {
  return { metric, quotaId, amount, unit, isOfRegion: true };
}

export interface QuotaQuestions extends Pick<Questions, "grants" | "signal"> {
  readonly quotas: Quotas;
  readonly region: string;
  /** The person's email, for Google's answer. */
  readonly email: string | undefined;
}

/** Whether the functions get the instances that Terraform requests. */
export async function checkRunQuotas(questions: QuotaQuestions, project: string): Promise<readonly Check[]> {
  const { quotas, region, signal } = questions;
  try {
    const limits = await Promise.all(
      RUN_NEEDS.map(({ quotaId }) => quotas.run(project, region, quotaId, signal)),
    );
    const lacks = RUN_NEEDS.flatMap((need, index) => {
      const limit = limits[index] ?? 0;
      if (need.amount <= limit) return [];
      const instances = Math.floor((FUNCTION.instances * limit) / need.amount);
      const message = `${project}: ${need.quotaId} lets a function in ${region} have ${limit} ${need.unit}, and Terraform requests ${need.amount} (${FUNCTION.instances} instances)`;
      const fewer = instances > 0 ? `apply with -var max_instances=${instances}, or ask for more: ` : "";
      return [fault(SUBJECT, message, fewer + askForMore(questions, project, RUN, need))];
    });
    const enough = `${project}: Cloud Run in ${region} lets each function have its ${FUNCTION.instances} instances`;
    return lacks.length > 0 ? lacks : [fine(SUBJECT, enough)];
  } catch (error) {
    return [notKnown(SUBJECT, project, error, questions)];
  }
}

/** Whether the guide's first cluster can be made. */
export async function checkClusterQuotas(
  questions: QuotaQuestions,
  project: string,
): Promise<readonly Check[]> {
  const { quotas, region, signal } = questions;
  const cluster = `a first cluster (${FIRST_CLUSTER.nodes} nodes ${FIRST_CLUSTER.machineType})`;
  try {
    const quotaOf = await quotas.compute(project, region, signal);
    const lacks = CLUSTER_NEEDS.flatMap((need) => {
      const quota = quotaOf.get(need.metric);
      if (quota === undefined)
        return [unknown(SUBJECT, `${project}: Compute Engine does not tell the quota ${need.metric}`)];
      if (need.amount <= quota.limit - quota.usage) return [];
      const where = need.isOfRegion ? ` in ${region}` : "";
      const message = `${project}: ${cluster} needs ${need.amount} ${need.unit}, and ${need.metric}${where} is ${quota.limit}, of which ${quota.usage} are used`;
      const increase = { ...need, amount: quota.usage + need.amount };
      return [fault(SUBJECT, message, askForMore(questions, project, COMPUTE, increase))];
    });
    return lacks.length > 0
      ? lacks
      : [fine(SUBJECT, `${project}: Compute Engine in ${region} has room for ${cluster}`)];
  } catch (error) {
    return [notKnown(SUBJECT, project, error, questions)];
  }
}

const RUN = "run.googleapis.com";
const COMPUTE = "compute.googleapis.com";

function askForMore(
  { region, email }: QuotaQuestions,
  project: string,
  service: string,
  { quotaId, amount, ...need }: Need & { readonly isOfRegion?: boolean },
): string {
  const dimensions = need.isOfRegion === false ? "" : ` --dimensions=region=${region}`;
  return `gcloud beta quotas preferences create --project=${project} --service=${service} --quota-id=${quotaId}${dimensions} --preferred-value=${amount} --email=${email ?? "YOU"}`;
}
