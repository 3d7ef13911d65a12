import { RESOURCES, type Resource, resourceOf } from "../core/kubernetes-requests.ts";
import { ISTIO_NAMESPACE } from "../core/names.ts";
import type { Permission } from "../ports/member-api.ts";
import inventory from "./inventory.json" with { type: "json" };

/** A kind of Istio's objects. */
export interface RenderedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * The kinds of the manifest, without Meshjoin's own Namespace and Secrets. The build compares its rendering with them and
 * refuses one that has others.
 */
export const INVENTORY: readonly RenderedKind[] = inventory;

/** Kinds of which a deep run deletes what earlier manifests of Istio had and the present one has not. */
export const PRUNED_KINDS = kindsWhere(({ deep }) => deep.includes("delete"));

export function isPruned(kind: string): boolean {
  return resourceOf(kind).deep.includes("delete");
}

/** What a deep run lists: the kinds of the manifest, and those of which it deletes what earlier ones have left. */
export function listedKinds(kinds = INVENTORY): readonly RenderedKind[] {
  const rendered = new Set(kinds.map(({ kind }) => kind));
  return [...kinds, ...PRUNED_KINDS.filter(({ kind }) => !rendered.has(kind))];
}

const OWN_KINDS = kindsWhere(({ isOwn }) => isOwn);
const DEEP_KINDS = kindsWhere(({ deep }) => deep.length > 0);

function kindsWhere(applies: (resource: Resource) => boolean): readonly RenderedKind[] {
  return Object.entries(RESOURCES)
    .filter(([, resource]) => applies(resource))
    .map(([kind, { apiVersion }]) => ({ apiVersion, kind }));
}

const namespace = ISTIO_NAMESPACE;
const RBAC = "rbac.authorization.k8s.io";

/** Of subresources and reviews. A port-forward is a GET that newer API servers want `create` for. */
const OTHERS: readonly Permission[] = [
  { verb: "create", group: "", resource: "serviceaccounts/token", namespace },
  { verb: "create", group: "authentication.k8s.io", resource: "tokenreviews" },
  { verb: "get", group: "", resource: "pods/portforward", namespace },
  { verb: "create", group: "", resource: "pods/portforward", namespace },
];

/**
 * Istio's own roles hold more than Meshjoin does;
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
const ESCALATIONS: Readonly<Record<string, Permission>> = {
  ClusterRole: { verb: "escalate", group: RBAC, resource: "clusterroles" },
  ClusterRoleBinding: { verb: "bind", group: RBAC, resource: "clusterroles" },
  Role: { verb: "escalate", group: RBAC, resource: "roles", namespace },
  RoleBinding: { verb: "bind", group: RBAC, resource: "roles", namespace },
};

export interface Need {
  /** A deep run lists what may be there of any manifest, deletes what is left over, and lists events, too; the rotator makes none. */
  readonly deep: boolean;
}

/** All that Meshjoin asks of a member's API server, by what `kinds` the manifest has. Throws on a kind whose path is unknown. */
export function neededPermissions({ deep }: Need, kinds = INVENTORY): readonly Permission[] {
  const rendered = kinds.flatMap((each) => {
    const escalation = ESCALATIONS[each.kind];
    return [...verbsOn(each), ...(escalation === undefined ? [] : [escalation])];
  });
  const more = deep ? [...kinds.map(listed), ...DEEP_KINDS.flatMap(deepOn)] : [];
  const all = [...OWN_KINDS.flatMap(verbsOn), ...rendered, ...more, ...OTHERS];
  return [...new Map(all.map((permission) => [JSON.stringify(permission), permission])).values()];
}

/** A resource each, as in `clusterroles (get, create, patch, escalate)`. */
export function describePermissions(permissions: readonly Permission[]): string {
  const verbs = Map.groupBy(permissions, ({ resource }) => resource);
  return [...verbs]
    .map(([resource, asked]) => `${resource} (${[...new Set(asked.map(({ verb }) => verb))].join(", ")})`)
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
    verb === "list" ? listed(each) : { verb, group: groupOf(each.apiVersion), resource: plural, namespace },
  );
}

/** Over all namespaces. */
function listed({ apiVersion, kind }: RenderedKind): Permission {
  return { verb: "list", group: groupOf(apiVersion), resource: resourceOf(kind).plural };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}
