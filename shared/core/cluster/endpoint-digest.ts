import { fnv1a } from "../hash.ts";
import type { Endpoint } from "./cluster.ts";

/** A CA is long, and a plan asks for the digest of an endpoint once for each other member. */
const digests = new WeakMap<Endpoint, string>();

/** Server and CA as one word, so that a changed address or CA shows without reading the kubeconfig. */
export function endpointDigest(endpoint: Endpoint): string {
  const digest = digests.get(endpoint) ?? fnv1a(`${endpoint.server}\n${endpoint.caData ?? ""}`);
  digests.set(endpoint, digest);
  return digest;
}
