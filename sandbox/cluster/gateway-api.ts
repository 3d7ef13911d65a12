import { INGRESS_API } from "../../shared/istio/gateway-api.ts";
import type { ApiClient } from "./api-client.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** By which GKE keeps what it installs as it is. */
const GKES = { "addonmanager.kubernetes.io/mode": "Reconcile" };

/** As GKE brings it from 1.34 on, or earlier with `--gateway-api=standard`: with owner labels of its own. */
export async function bringGatewayApi(api: ApiClient): Promise<void> {
  for (const definition of INGRESS_API) {
    const { metadata } = definition;
    await api.create(DEFINITIONS, { ...definition, metadata: { ...metadata, labels: GKES } });
  }
}
