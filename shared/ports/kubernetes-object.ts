export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly ownerReferences?: readonly OwnerReference[];
  /**
   * Which manager owns which field;
   * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
   */
  readonly managedFields?: readonly ManagedFields[];
}

/** Kubernetes' garbage collector deletes an object whose owners are all gone. */
export interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  /** Of the manager's last change, to the second. */
  readonly time?: string;
  /** A tree of `f:<field>`. */
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** Any Kubernetes object as its JSON. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}
