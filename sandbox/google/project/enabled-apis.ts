import { GoogleError } from "../http/google-error.ts";
import type { RestCall } from "../http/rest.ts";
import type { SandboxProject } from "../projects.ts";
import type { ProjectState } from "./state.ts";

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";

export interface UsableApis {
  readonly state: ProjectState;
  /** IAM: may this account do that? */
  readonly allows: (caller: string, permission: string) => boolean;
}

/**
 * What stands before every call: the project that it counts on, by header, is one whose services the caller
 * may use, and has the API enabled. https://cloud.google.com/docs/quotas/quota-project,
 * https://cloud.google.com/service-usage/docs/error-model
 */
export function assertUsable(apis: UsableApis, { caller, quotaProject }: RestCall, api: string): void {
  const [first] = apis.state.projects;
  const consumer =
    quotaProject === undefined
      ? first
      : apis.state.projects.find(({ id, number }) => id === quotaProject || number === quotaProject);
  if (consumer === undefined || !mayDo(apis, caller, consumer, "serviceusage.services.use")) {
    throw new GoogleError(
      "PERMISSION_DENIED",
      `Caller does not have required permission to use project ${quotaProject}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission.`,
      [errorInfo("USER_PROJECT_DENIED", { consumer: `projects/${quotaProject}`, service: api })],
    );
  }
  assertEnabled(apis.state, consumer, api);
}

export function assertEnabled(state: ProjectState, { id, number }: SandboxProject, api: string): void {
  if (state.isEnabled(id, api)) return;
  throw new GoogleError(
    "PERMISSION_DENIED",
    `${api} has not been used in project ${number} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${api}/overview?project=${number} then retry.`,
    [errorInfo("SERVICE_DISABLED", { consumer: `projects/${number}`, service: api })],
  );
}

export function mayDo(
  { state, allows }: UsableApis,
  caller: string,
  { id }: SandboxProject,
  permission: string,
): boolean {
  return state.isGranted(id, permission) && allows(caller, permission);
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>>): object {
  return { "@type": ERROR_INFO, reason, domain: "googleapis.com", metadata };
}
