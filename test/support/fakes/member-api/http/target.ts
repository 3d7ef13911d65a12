import { RESOURCES } from "../../../../../shared/core/kubernetes-requests.ts";
import type { ObjectQuery } from "../../../../../shared/ports/member-api.ts";

/**
 * What the path of a request names;
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export interface Target extends Pick<ObjectQuery, "apiVersion" | "kind"> {
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

const KIND_OF = new Map(Object.entries(RESOURCES).map(([kind, { plural }]) => [plural, kind]));

const ROOT = "^/(?:api/(?<core>[^/]+)|apis/(?<group>[^/]+/[^/]+))";
const REST = "(?<plural>[^/]+)(?:/(?<name>[^/]+)(?:/(?<subresource>[^/]+))?)?$";
const NAMESPACED = new RegExp(`${ROOT}/namespaces/(?<namespace>[^/]+)/${REST}`);
const CLUSTER_SCOPED = new RegExp(`${ROOT}/${REST}`);

/** Undefined where this server has nothing. */
export function targetOf(path: string): Target | undefined {
  const groups = (NAMESPACED.exec(path) ?? CLUSTER_SCOPED.exec(path))?.groups;
  const { core, group, plural = "", namespace, name, subresource } = groups ?? {};
  const apiVersion = core ?? group;
  const kind = KIND_OF.get(plural);
  if (apiVersion === undefined || kind === undefined) return undefined;
  return {
    apiVersion,
    kind,
    plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name: decodeURIComponent(name) }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}
