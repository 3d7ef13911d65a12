/** A constraint that is enforced, or a list of values that are allowed or denied; empty lists allow none. */
export type Restriction =
  | { readonly kind: "enforced" }
  | { readonly kind: "values"; readonly allowed: readonly string[]; readonly denied: readonly string[] };

/**
 * What Google Cloud tells of a project before anything is deployed in it. Each fails with RefusedError or UnavailableError, whose
 * `fields` name the `project`, the `permission` and the `api` that the call needs, and the `consumer`, in which the API is to be enabled.
 */
export interface ProjectFacts {
  /** Whether the project has a billing account that is open. */
  isBilled(project: string, signal?: AbortSignal): Promise<boolean>;
  /** Those of the APIs (`pubsub.googleapis.com`) that are enabled; at most 30 at a time. */
  enabledApis(project: string, apis: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * What an organization policy leaves of a constraint (`gcp.resourceLocations`) for the project; undefined where it leaves all. Rules
   * with a condition count, too: whether they hold is not asked.
   */
  restriction(project: string, constraint: string, signal?: AbortSignal): Promise<Restriction | undefined>;
  /** Those of the IAM permissions that the caller has on the project. */
  grantedPermissions(
    project: string,
    permissions: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlySet<string>>;
}
