import type { Fault } from "../answers/error-finding.ts";

/** A member's ingress as its own cluster shows it. */
export interface IngressState {
  readonly state: "present";
  /** Of the Service. */
  readonly service: string;
  /** Annotation `gateway-settings`, verbatim; undefined for one that is not Meshjoin's. */
  readonly settings: string | undefined;
  /** IP addresses or host names that its load balancer has given it. */
  readonly addresses: readonly string[];
  /** A pod behind it is ready. */
  readonly isServing: boolean;
  readonly tls: IngressTls;
  /** Whether the Secret that the configuration names now is there, where port 443 has another one. */
  readonly hasNextSecret?: boolean;
}

export const INGRESS_TLS_STATES = [
  "none",
  "served",
  "unknown",
  "refused",
] as const satisfies readonly IngressTls["state"][];

/**
 * Port 443. `none`: it has none. `refused`: istiod does not serve it, in its own words. `unknown`: istiod has
 * not said, or Meshjoin could not ask.
 */
export type IngressTls =
  | { readonly state: "none" }
  | {
      readonly state: "served" | "unknown";
      /** The name of its Secret; undefined where the Gateway was not read. */
      readonly secret: string | undefined;
    }
  | { readonly state: "refused"; readonly because: string };

/** Of a member that was asked. */
export type SeenIngress =
  | IngressState
  | { readonly state: "none" }
  | { readonly state: "unknown"; readonly unread: Fault };
