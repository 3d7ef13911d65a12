/**
 * What Go's network and Terraform's own client of the registry say of a way that is barred. Not the headings
 * above it: a version that does not exist has the same ones.
 */
const BARRED = [
  "could not connect to",
  "failed to request discovery document",
  "the request failed after",
  "dial tcp",
  "no such host",
  "connection refused",
  "connection reset",
  "network is unreachable",
  "i/o timeout",
  "TLS handshake timeout",
  "Client.Timeout exceeded",
  "context deadline exceeded",
];

/**
 * Whether a `terraform init` with this output has failed for want of a network, and not for what the modules
 * ask for.
 */
export function isRegistryUnreachable(output: string): boolean {
  const unwrapped = output.replaceAll(/\s+/g, " ");
  return BARRED.some((words) => unwrapped.includes(words));
}
