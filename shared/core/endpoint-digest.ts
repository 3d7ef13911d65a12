import type { Endpoint } from "./cluster.ts";
import { fnv1a } from "./hash.ts";

/** Server and CA as one word, so that a changed address or CA shows without reading the kubeconfig. */
export function endpointDigest(endpoint: Endpoint): string {
  return fnv1a(`${endpoint.server}\n${endpoint.caData ?? ""}`);
}
