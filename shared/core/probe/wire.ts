/** The names and ports by which the probe's objects, its questions and its answers fit together. */
export const PROBE_NAMESPACE = "meshjoin-probe";
/** The Secret in Istio's namespace that says that the configuration wants the probe. */
export const PROBE_MARK = "meshjoin-probe";
/** The Deployment, the Service and the traffic rules of the probe in its namespace. */
export const PROBE = "probe";
/** The pods' label `app`, and their account. */
export const PROBE_APP = "meshjoin-probe";
/** The Service by which one member's probe reaches another's. */
export const PROBE_HOST = `${PROBE}.${PROBE_NAMESPACE}.svc.cluster.local`;

export const PROBE_PORTS = {
  /** Of the Service. On loopback it takes questions: `GET /to/<cluster ID>`. */
  ask: 15_841,
  /** Takes requests of other probes, by mutual TLS. */
  inbound: 15_842,
  /** On loopback: the proxy answers here itself. */
  answer: 15_843,
} as const;

/** Of Envoy, on loopback; Istio `pkg/bootstrap`. */
export const ENVOY_ADMIN_PORT = 15_000;

export function questionPath(targetId: string): string {
  return `/to/${targetId}`;
}

/** Istio's name of the reader's Envoy cluster that leads to one target. */
export function envoyCluster(targetId: string): string {
  return `outbound|${PROBE_PORTS.ask}|${targetId}|${PROBE_HOST}`;
}

/**
 * The headers in which the reader's Envoy tells what became of a question, also where it answers itself
 * because nothing came back; https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
 * has the operators. Envoy refuses all routes at once if it does not know one.
 */
export const ANSWER_HEADERS = {
  "x-ask-flags": "%RESPONSE_FLAGS%",
  "x-ask-details": "%RESPONSE_CODE_DETAILS%",
  "x-ask-failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  "x-ask-host": "%UPSTREAM_HOST%",
  "x-ask-issuer": "%UPSTREAM_PEER_ISSUER%",
  "x-ask-took": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
} as const;
