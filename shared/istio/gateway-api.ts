import type { KubernetesObject } from "../ports/kubernetes-object.ts";
import definitions from "./gateway-api.json" with { type: "json" };
import httpRoute from "./http-route.json" with { type: "json" };

/**
 * The definitions of GatewayClass and Gateway, unchanged, from `config/crd/standard` of
 * `sigs.k8s.io/gateway-api` (Apache License 2.0), in the version that the pinned Istio is built with. GKE
 * brings them itself from 1.34 on, and earlier with `--gateway-api=standard`.
 */
export const GATEWAY_API: readonly KubernetesObject[] = definitions;

/** With HTTPRoute, by which users bring their own requests in; of the same origin. */
export const INGRESS_API: readonly KubernetesObject[] = [...GATEWAY_API, httpRoute];
