/** What every Kubernetes object has; the sandbox looks into little else. */
export interface KubernetesObject {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
}
