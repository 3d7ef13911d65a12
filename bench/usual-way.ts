import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Binaries } from "../sandbox/binaries/build.ts";
import type { FleetMember } from "../sandbox/google/member.ts";
import { ISTIO_NAMESPACE } from "../shared/core/names.ts";
import type { KubernetesObject } from "../shared/ports/kubernetes-object.ts";

const run = promisify(execFile);

/** The usual commands: `istioctl create-remote-secret | kubectl apply` for each pair, both ways. */
const EXCHANGE = `
set -euo pipefail
while read -r reader target id; do
  "$ISTIOCTL" create-remote-secret --kubeconfig "$target" --name "$id" 2>/dev/null |
    "$KUBECTL" --kubeconfig "$reader" apply -f - >/dev/null
done <<< "$PAIRS"
`;

export interface Workplace {
  readonly binaries: Binaries;
  /** For work files and kubectl's cache. */
  readonly dir: string;
  /** Ends the commands. */
  readonly signal: AbortSignal;
}

function pairsOf(newcomer: FleetMember, peers: readonly FleetMember[]): string {
  return peers
    .flatMap((peer) => [
      `${newcomer.kubeconfig} ${peer.kubeconfig} ${peer.clusterId}`,
      `${peer.kubeconfig} ${newcomer.kubeconfig} ${newcomer.clusterId}`,
    ])
    .join("\n");
}

async function kubectl(
  { binaries, dir, signal }: Workplace,
  cluster: FleetMember,
  ...args: readonly string[]
): Promise<void> {
  const env = { ...process.env, KUBECACHEDIR: dir };
  await run(binaries.kubectl, ["--kubeconfig", cluster.kubeconfig, ...args], { env, signal });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}

/** Removes Meshjoin's secrets of these pairs first, so that the script does all work; in milliseconds. */
export async function exchangeByHand(
  workplace: Workplace,
  newcomer: FleetMember,
  peers: readonly FleetMember[],
): Promise<number> {
  const { binaries, dir, signal } = workplace;
  const remove = (reader: FleetMember, target: FleetMember) => {
    const name = `istio-remote-secret-${target.clusterId}`;
    return kubectl(workplace, reader, "-n", ISTIO_NAMESPACE, "delete", "secret", name);
  };
  await Promise.all(peers.flatMap((peer) => [remove(newcomer, peer), remove(peer, newcomer)]));
  const env = {
    ...process.env,
    ISTIOCTL: binaries.istioctl,
    KUBECTL: binaries.kubectl,
    KUBECACHEDIR: dir,
    PAIRS: pairsOf(newcomer, peers),
  };
  return await timed(() => run("bash", ["-c", EXCHANGE], { env, signal }));
}

/** `kubectl apply` of Istio's manifest to a cluster with an empty namespace for it; answers milliseconds. */
export async function manifestByHand(
  workplace: Workplace,
  cluster: FleetMember,
  objects: readonly KubernetesObject[],
): Promise<number> {
  const manifest = join(workplace.dir, "manifest.json");
  await writeFile(manifest, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await kubectl(workplace, cluster, "create", "namespace", ISTIO_NAMESPACE);
  return await timed(() => kubectl(workplace, cluster, "apply", "-f", manifest));
}
