/** An enforced constraint, or lists of allowed and denied values; two empty lists allow nothing. */
export type Restriction =
  | { readonly kind: "enforced" }
  | { readonly kind: "values"; readonly allowed: readonly string[]; readonly denied: readonly string[] };

/**
 * The facts of a project that decide whether Meshjoin can be deployed in it. Each call fails with
 * RefusedError or UnavailableError, whose `fields` name the `project`, the `permission` and the `api` that
 * the call needs, and the `consumer`: the project in which the API must be enabled.
 */
export interface ProjectFacts {
  /** Whether the project has an open billing account. */
  isBilled(project: string, signal?: AbortSignal): Promise<boolean>;
  /** The enabled ones of these APIs (`pubsub.googleapis.com`); at most 30 at a time. */
  enabledApis(project: string, apis: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * The restriction that organization policies put on the project for a constraint (`gcp.resourceLocations`);
   * undefined if there is none. A rule with a condition counts as if the condition held.
   */
  restriction(project: string, constraint: string, signal?: AbortSignal): Promise<Restriction | undefined>;
  /** The ones of these IAM permissions that the caller has on the project. */
  grantedPermissions(
    project: string,
    permissions: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlySet<string>>;
}
