import { RESOURCES, type Resource, resourceOf } from "../core/kubernetes-requests.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { Permission } from "../ports/member-api.ts";
import inventory from "./inventory.json" with { type: "json" };

export interface RenderedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Kinds of the manifest, without Meshjoin's own Namespace and Secrets. The build refuses all others. */
export const INVENTORY: readonly RenderedKind[] = inventory;

/** A deep run deletes objects of these kinds that only earlier manifests of Istio held. */
export const PRUNED_KINDS = kindsWhere(({ deep }) => deep.includes("delete"));

export function isPruned(kind: string): boolean {
  return resourceOf(kind).deep.includes("delete");
}

/** The kinds that a deep run lists: those of the manifest, and those that it prunes. */
export function listedKinds(kinds = INVENTORY): readonly RenderedKind[] {
  const rendered = new Set(kinds.map(({ kind }) => kind));
  return [...kinds, ...PRUNED_KINDS.filter(({ kind }) => !rendered.has(kind))];
}

const OWN_KINDS = kindsWhere(({ isOwn }) => isOwn);
const DEEP_KINDS = kindsWhere(({ deep }) => deep.length > 0);
const LISTED_CUSTOM_KINDS = allWhere(({ isListedByIam }) => isListedByIam);

function kindsWhere(applies: (resource: Resource) => boolean): readonly RenderedKind[] {
  return allWhere((resource) => resource.grantedBy === "iam" && applies(resource));
}

function allWhere(applies: (resource: Resource) => boolean): readonly RenderedKind[] {
  return Object.entries(RESOURCES)
    .filter(([, resource]) => applies(resource))
    .map(([kind, { apiVersion }]) => ({ apiVersion, kind }));
}

const namespace = ISTIO_NAMESPACE;
const RBAC = "rbac.authorization.k8s.io";

/** Subresources and reviews. A port-forward is a GET, but newer API servers want `create` for it. */
const OTHERS: readonly Permission[] = [
  { verb: "create", group: "", resource: "serviceaccounts/token", namespace },
  { verb: "create", group: "authentication.k8s.io", resource: "tokenreviews" },
  { verb: "get", group: "", resource: "pods/portforward", namespace },
  { verb: "create", group: "", resource: "pods/portforward", namespace },
];

/**
 * Istio's own roles grant more than Meshjoin has;
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
const ESCALATIONS: Readonly<Record<string, Permission>> = {
  ClusterRole: { verb: "escalate", group: RBAC, resource: "clusterroles" },
  ClusterRoleBinding: { verb: "bind", group: RBAC, resource: "clusterroles" },
  Role: { verb: "escalate", group: RBAC, resource: "roles", namespace },
  RoleBinding: { verb: "bind", group: RBAC, resource: "roles", namespace },
};

export interface Need {
  /** Deep runs also list objects of any manifest, prune, and list events. The rotator makes none. */
  readonly deep: boolean;
}

/** Meshjoin's requests to a member's API server, for a manifest of these kinds. Throws on an unknown kind. */
export function neededPermissions({ deep }: Need, kinds = INVENTORY): readonly Permission[] {
  const rendered = kinds.flatMap((each) => {
    const escalation = ESCALATIONS[each.kind];
    return [...verbsOn(each), ...(escalation === undefined ? [] : [escalation])];
  });
  const more = deep ? [...kinds.map(listOf), ...DEEP_KINDS.flatMap(deepOn)] : [];
  const custom = LISTED_CUSTOM_KINDS.map(listOf);
  const all = [...OWN_KINDS.flatMap(verbsOn), ...rendered, ...more, ...custom, ...OTHERS];
  return [...new Map(all.map((permission) => [JSON.stringify(permission), permission])).values()];
}

/** For messages: `clusterroles (get, create, patch, escalate), …`. */
export function describePermissions(permissions: readonly Permission[]): string {
  const verbs = Map.groupBy(permissions, ({ resource }) => resource);
  return [...verbs]
    .map(([resource, same]) => `${resource} (${[...new Set(same.map(({ verb }) => verb))].join(", ")})`)
    .join(", ");
}

function verbsOn({ apiVersion, kind }: RenderedKind): Permission[] {
  const { plural, namespaced, verbs } = resourceOf(kind);
  return verbs.map((verb) => ({
    verb,
    group: groupOf(apiVersion),
    resource: plural,
    ...(namespaced ? { namespace } : {}),
  }));
}

function deepOn(each: RenderedKind): Permission[] {
  const { plural, deep } = resourceOf(each.kind);
  return deep.map((verb) =>
    verb === "list" ? listOf(each) : { verb, group: groupOf(each.apiVersion), resource: plural, namespace },
  );
}

/** Over all namespaces. */
function listOf({ apiVersion, kind }: RenderedKind): Permission {
  return { verb: "list", group: groupOf(apiVersion), resource: resourceOf(kind).plural };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}
