import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { renderKubeconfig } from "../kubeconfig.ts";
import { forVanillaEnvoy } from "../traffic-support.ts";
import { type VolumeContext, volumeContent, writeVolume } from "./volumes.ts";

export interface MountedFilesOptions extends VolumeContext {
  readonly container: V1Container;
  /** Stands for the container's root directory. */
  readonly root: string;
}

/** The files that the kubelet mounts into a container. */
export interface MountedFiles {
  /** Brings them up to date; one call after the other. */
  write(): Promise<void>;
  /** Resolves when all calls of `write` have ended, well or not. */
  settled(): Promise<void>;
}

const SERVICE_ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const MESH_CONFIG_MAP = "istio";
/** `--meshConfig` of pilot-discovery, relative to its working directory. */
const MESH_CONFIG_DIRECTORY = "etc/istio/config";

/** `more` writes what no volume holds, each time after the volumes. */
export function mountedFiles(
  options: MountedFilesOptions,
  more: () => Promise<void> = () => Promise.resolve(),
): MountedFiles {
  let last: Promise<void> = Promise.resolve();
  return {
    write() {
      const turn = last.then(() => writeMounts(options)).then(more);
      last = turn.catch(() => undefined);
      return turn;
    },
    settled: () => last,
  };
}

async function writeMounts({ container, root, ...context }: MountedFilesOptions): Promise<void> {
  for (const mount of container.volumeMounts ?? []) {
    const volume = context.pod.spec?.volumes?.find(({ name }) => name === mount.name);
    const content = volume === undefined ? undefined : await volumeContent(context, volume);
    const directory = join(root, mount.mountPath);
    await (content === undefined ? mkdir(directory, { recursive: true }) : writeVolume(directory, content));
  }
}

/**
 * istiod prefers this file to the ConfigMap, which stays what the product made it: nothing but the process
 * gets the settings for vanilla Envoys.
 */
export async function writeMeshConfig({
  root,
  lookup,
}: Pick<MountedFilesOptions, "root" | "lookup">): Promise<void> {
  const mesh = lookup("configmaps", MESH_CONFIG_MAP)?.get("mesh");
  if (mesh === undefined) throw new Error(`configmaps/${MESH_CONFIG_MAP} is not there yet; create it`);
  const content = new Map([["mesh", Buffer.from(forVanillaEnvoy(mesh.toString()))]]);
  await writeVolume(join(root, MESH_CONFIG_DIRECTORY), content);
}

/**
 * istiod acts as its ServiceAccount: in-cluster configuration, with the mounted token and CA, written out.
 * Answers its path.
 */
export async function writeKubeconfig(root: string, server: string): Promise<string> {
  const path = join(root, "kubeconfig");
  const mount = join(root, SERVICE_ACCOUNT_MOUNT);
  const text = renderKubeconfig({
    name: "in-cluster",
    server,
    ca: { file: join(mount, "ca.crt") },
    token: { file: join(mount, "token") },
  });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
