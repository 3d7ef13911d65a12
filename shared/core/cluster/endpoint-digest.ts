import { fnv1a } from "../hash.ts";
import type { Endpoint } from "./cluster.ts";

/** A CA is long, and every other member of the mesh asks for the digest of the same endpoint. */
const known = new WeakMap<Endpoint, string>();

/** Server and CA as one word, so that a changed address or CA shows without reading the kubeconfig. */
export function endpointDigest(endpoint: Endpoint): string {
  const digest = known.get(endpoint) ?? fnv1a(`${endpoint.server}\n${endpoint.caData ?? ""}`);
  known.set(endpoint, digest);
  return digest;
}
