import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Binaries } from "../sandbox/binaries/build.ts";
import type { FleetMember } from "../sandbox/fleet-file.ts";

const run = promisify(execFile);

/** `istioctl create-remote-secret | kubectl apply`, for each of the newcomer's pairs, both ways: what one types today. */
const EXCHANGE = `
set -euo pipefail
while read -r reader target id; do
  "$ISTIOCTL" create-remote-secret --kubeconfig "$target" --name "$id" 2>/dev/null |
    "$KUBECTL" --kubeconfig "$reader" apply -f - >/dev/null
done <<< "$PAIRS"
`;

function pairsOf(newcomer: FleetMember, peers: readonly FleetMember[]): string {
  return peers
    .flatMap((peer) => [
      `${newcomer.kubeconfig} ${peer.kubeconfig} ${peer.clusterId}`,
      `${peer.kubeconfig} ${newcomer.kubeconfig} ${newcomer.clusterId}`,
    ])
    .join("\n");
}

/** Takes Meshjoin's secrets of these pairs away first, so that the script does the whole job; answers milliseconds. */
export async function exchangeByHand(
  binaries: Binaries,
  newcomer: FleetMember,
  peers: readonly FleetMember[],
): Promise<number> {
  const remove = async (reader: FleetMember, target: FleetMember) => {
    const name = `istio-remote-secret-${target.clusterId}`;
    await run(binaries.kubectl, [
      "--kubeconfig",
      reader.kubeconfig,
      "-n",
      "istio-system",
      "delete",
      "secret",
      name,
    ]);
  };
  await Promise.all(peers.flatMap((peer) => [remove(newcomer, peer), remove(peer, newcomer)]));
  const env = {
    ...process.env,
    ISTIOCTL: binaries.istioctl,
    KUBECTL: binaries.kubectl,
    PAIRS: pairsOf(newcomer, peers),
  };
  const start = performance.now();
  await run("bash", ["-c", EXCHANGE], { env });
  return performance.now() - start;
}
