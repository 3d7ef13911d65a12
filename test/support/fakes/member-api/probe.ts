import type { RawAnswer } from "../../../../shared/core/probe/answer.ts";
import type { ProbeEndpoint } from "../../../../shared/core/probe/endpoints.ts";
import { questionPath } from "../../../../shared/core/probe/wire.ts";
import type { KubernetesObject } from "../../../../shared/ports/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";

/** How the probe of this cluster behaves; call `settle` after a change of `isReady`. */
export interface ProbeBehaviour {
  /** Its pod becomes ready. */
  isReady: boolean;
  /** What its Envoy answers to a question about a target, in the place of what would be the truth. */
  readonly answers: Map<string, RawAnswer>;
}

export interface SimulatedProbe {
  readonly behaviour: ProbeBehaviour;
  /** Looks at the objects; called after every change. */
  settle(): void;
  ask(target: string): RawAnswer;
  endpoints(target: string): readonly ProbeEndpoint[] | undefined;
}

export interface ProbeWorld {
  readonly store: ObjectStore;
  readonly name: string;
  /** The objects of another cluster. */
  readonly storeOf: (clusterId: string) => ObjectStore | undefined;
}

const NAMESPACE = "meshjoin-probe";
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name: "probe" };
const POD = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name: "probe-0" };
const SERVICE = { apiVersion: "v1", kind: "Service", namespace: NAMESPACE, name: "probe" };
const ROUTES = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  namespace: NAMESPACE,
  name: "ask",
};
const NO_HEALTHY: RawAnswer = {
  status: 503,
  headers: { "x-ask-flags": "UH", "x-ask-details": "no_healthy_upstream" },
  body: "no healthy upstream",
};

/** Envoy and istiod, as far as probes of other clusters notice: the objects decide who reaches whom. */
export function simulatedProbe({ store, name, storeOf }: ProbeWorld): SimulatedProbe {
  const behaviour: ProbeBehaviour = { isReady: true, answers: new Map() };

  const endpoints = (target: string): readonly ProbeEndpoint[] | undefined => {
    if (!routesOf(store).includes(questionPath(target))) return undefined;
    const isRead = target === name || hasRemoteSecret(store, target);
    const hasService = storeOf(target)?.get(SERVICE) !== undefined;
    const pod = isRead && hasService ? storeOf(target)?.get(POD) : undefined;
    if (pod === undefined) return [];
    const isUnhealthy = !isReady(pod);
    return [
      { address: addressOf(store, storeOf(target)) ?? podAddress(target), isUnhealthy, isEjected: false },
    ];
  };

  return {
    behaviour,
    settle() {
      const deployment = store.get(DEPLOYMENT);
      const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: NAMESPACE });
      if (deployment === undefined || namespace?.metadata.deletionTimestamp !== undefined) {
        if (store.get(POD) !== undefined) store.delete(POD);
        return;
      }
      const ready = behaviour.isReady ? 1 : 0;
      const status = { conditions: [{ type: "Ready", status: ready === 1 ? "True" : "False" }] };
      const { apiVersion, kind, ...metadata } = POD;
      store.write(
        { apiVersion, kind, metadata: { ...metadata, labels: { app: NAMESPACE } }, status },
        "kubelet",
      );
      store.write(
        {
          ...deployment,
          status: {
            observedGeneration: deployment.metadata.generation,
            replicas: 1,
            updatedReplicas: 1,
            availableReplicas: ready,
          },
        },
        "kube-controller-manager",
      );
    },
    ask(target) {
      const set = behaviour.answers.get(target);
      if (set !== undefined) return set;
      const known = endpoints(target);
      if (known === undefined) return { status: 404, headers: {}, body: "" };
      const usable = known.find(({ isUnhealthy }) => !isUnhealthy);
      return usable === undefined ? NO_HEALTHY : answerOf(target, usable.address);
    },
    endpoints,
  };
}

/** The answer of a probe that a request has reached at this address. */
function answerOf(target: string, address = podAddress(target)): RawAnswer {
  return {
    status: 200,
    headers: {
      "x-ask-flags": "-",
      "x-ask-details": "via_upstream",
      "x-ask-host": `${address}:15842`,
      "x-ask-issuer": `L=${target},CN=Intermediate CA,O=Istio`,
      "x-ask-took": "1500",
    },
    body: JSON.stringify({ cluster: target }),
  };
}

function podAddress(target: string): string {
  return `10.1.${target.length}.7`;
}

interface Routes {
  readonly http: readonly { readonly match: readonly { readonly uri: { readonly exact: string } }[] }[];
}

function routesOf(store: ObjectStore): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a VirtualService as Meshjoin writes it
  const spec = store.get(ROUTES)?.["spec"] as Routes | undefined;
  return (spec?.http ?? []).flatMap(({ match }) => match.map(({ uri }) => uri.exact));
}

function hasRemoteSecret(store: ObjectStore, target: string): boolean {
  const ref = { apiVersion: "v1", kind: "Secret", namespace: "istio-system" };
  return store.get({ ...ref, name: `istio-remote-secret-${target}` }) !== undefined;
}

/** That of the target's gateway, where the two are in different networks and it has one. */
function addressOf(reader: ObjectStore, target: ObjectStore | undefined): string | undefined {
  if (target === undefined || networkIn(reader) === networkIn(target)) return undefined;
  const services = target.list({ apiVersion: "v1", kind: "Service", namespace: "istio-system" });
  return services.flatMap((service) => ingressOf(service))[0];
}

function ingressOf(service: KubernetesObject): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- core/v1 Service
  const status = service["status"] as { loadBalancer?: { ingress?: readonly { ip: string }[] } } | undefined;
  return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
}

function networkIn(store: ObjectStore): string | undefined {
  const namespace = store.get({ apiVersion: "v1", kind: "Namespace", name: "istio-system" });
  return namespace?.metadata.labels?.["topology.istio.io/network"];
}

function isReady(pod: KubernetesObject): boolean {
  return JSON.stringify(pod["status"]).includes('"True"');
}
