import { ISTIO_NETWORKING, ISTIO_SECURITY } from "../../core/kubernetes-requests.ts";
import { ISTIO_NAMESPACE, TRUST_DOMAIN } from "../../core/names.ts";
import {
  ANSWER_HEADERS,
  PROBE,
  PROBE_APP,
  PROBE_HOST,
  PROBE_NAMESPACE,
  PROBE_PORTS,
  questionPath,
} from "../../core/probe/wire.ts";
import type { KubernetesObject } from "../../ports/kubernetes-object.ts";
import { PROBE_LABELS, type ProbeSettings, probeObject } from "./object.ts";

/** The name of the Service, and of the rule, behind which a probe's Envoy answers itself. */
export const ANSWER_SERVICE = "answer";
const ANSWER_HOST = `${ANSWER_SERVICE}.${PROBE_NAMESPACE}.svc.cluster.local`;
/** istiod sets it on each endpoint of a cluster's registry. */
const CLUSTER_LABEL = "topology.istio.io/cluster";

/** Limits what Envoy knows to the probe, however many Services the mesh has. */
export function probeSidecar(settings: ProbeSettings): KubernetesObject {
  const listener = (name: string, port: number, host: string) => ({
    port: { name, protocol: "HTTP", number: port },
    bind: "127.0.0.1",
    captureMode: "NONE",
    hosts: [`./${host}`],
  });
  return probeObject(
    settings,
    { apiVersion: ISTIO_NETWORKING, kind: "Sidecar", name: PROBE },
    {
      spec: {
        workloadSelector: { labels: PROBE_LABELS },
        ingress: [
          {
            port: { name: "http-probe", protocol: "HTTP", number: PROBE_PORTS.inbound },
            captureMode: "NONE",
            defaultEndpoint: `127.0.0.1:${PROBE_PORTS.answer}`,
          },
        ],
        egress: [
          listener("http-ask", PROBE_PORTS.ask, PROBE_HOST),
          listener("http-answer", PROBE_PORTS.answer, ANSWER_HOST),
        ],
      },
    },
  );
}

/** Mutual TLS and no other way in, and for probes alone: a mesh that allows nothing lets them through. */
export function probeAdmission(settings: ProbeSettings): KubernetesObject[] {
  const selector = { matchLabels: PROBE_LABELS };
  const principals = [`${TRUST_DOMAIN}/ns/${PROBE_NAMESPACE}/sa/${PROBE_APP}`];
  return [
    probeObject(
      settings,
      { apiVersion: ISTIO_SECURITY, kind: "PeerAuthentication", name: PROBE },
      { spec: { selector, mtls: { mode: "STRICT" } } },
    ),
    probeObject(
      settings,
      { apiVersion: ISTIO_SECURITY, kind: "AuthorizationPolicy", name: PROBE },
      { spec: { selector, action: "ALLOW", rules: [{ from: [{ source: { principals } }] }] } },
    ),
  ];
}

export function probeRoutes(settings: ProbeSettings): KubernetesObject[] {
  const { clusterId, targets } = settings;
  const answer = probeObject(
    settings,
    { apiVersion: ISTIO_NETWORKING, kind: "VirtualService", name: ANSWER_SERVICE },
    {
      spec: {
        exportTo: ["."],
        hosts: [ANSWER_HOST],
        http: [{ directResponse: { status: 200, body: { string: JSON.stringify({ cluster: clusterId }) } } }],
      },
    },
  );
  const ask = probeObject(
    settings,
    { apiVersion: ISTIO_NETWORKING, kind: "VirtualService", name: "ask" },
    { spec: { exportTo: ["."], hosts: [PROBE_HOST], http: targets.map(questionRoute) } },
  );
  // The gateways of Istio's namespace need a way to each target; no other proxy does.
  const rule = probeObject(
    settings,
    { apiVersion: ISTIO_NETWORKING, kind: "DestinationRule", name: PROBE },
    {
      spec: {
        exportTo: [".", ISTIO_NAMESPACE],
        host: PROBE_HOST,
        trafficPolicy: {
          tls: { mode: "ISTIO_MUTUAL" },
          // A new connection, with a new handshake, for each question.
          connectionPool: { tcp: { connectTimeout: "3s" }, http: { maxRequestsPerConnection: 1 } },
          // With outlier detection the second answer would tell of the first one's failure.
          outlierDetection: { consecutive5xxErrors: 0, consecutiveGatewayErrors: 0 },
        },
        subsets: targets.map((target) => ({ name: target, labels: { [CLUSTER_LABEL]: target } })),
      },
    },
  );
  return [answer, rule, ask];
}

function questionRoute(target: string) {
  return {
    match: [{ uri: { exact: questionPath(target) } }],
    timeout: "5s",
    retries: { attempts: 0 },
    // The target's listener on loopback knows this name alone.
    rewrite: { authority: ANSWER_HOST },
    headers: { response: { set: ANSWER_HEADERS } },
    route: [{ destination: { host: PROBE_HOST, subset: target } }],
  };
}
