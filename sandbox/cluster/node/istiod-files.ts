import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { renderKubeconfig } from "../kubeconfig.ts";
import { forVanillaEnvoy } from "../traffic-support.ts";
import { type VolumeContext, volumeContent, writeVolume } from "./volumes.ts";

export interface IstiodFilesOptions extends VolumeContext {
  readonly container: V1Container;
  /** Stands for the container's root directory. */
  readonly root: string;
  /**
   * Of kube-apiserver, not through the proxy: what makes a member unreachable does not stop its own istiod.
   */
  readonly server: string;
  /** Whether the sidecars that it configures run an Envoy that Istio has not built. */
  readonly vanillaEnvoys: boolean;
}

/** The files that the kubelet mounts into istiod's container, and istiod's kubeconfig. */
export interface IstiodFiles {
  /** Brings the mounted files up to date; one call after the other. */
  write(): Promise<void>;
  /** Answers its path. */
  writeKubeconfig(): Promise<string>;
  /** Resolves when all calls of `write` have ended, well or not. */
  settled(): Promise<void>;
}

const SERVICE_ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const MESH_CONFIG_MAP = "istio";
/** `--meshConfig` of pilot-discovery, relative to its working directory. */
const MESH_CONFIG_DIRECTORY = "etc/istio/config";

export function istiodFiles(options: IstiodFilesOptions): IstiodFiles {
  let last: Promise<void> = Promise.resolve();
  return {
    write() {
      const turn = last.then(() => writeMounts(options));
      last = turn.catch(() => undefined);
      return turn;
    },
    writeKubeconfig: () => writeKubeconfig(options),
    settled: () => last,
  };
}

async function writeMounts(options: IstiodFilesOptions): Promise<void> {
  const { pod, container, root } = options;
  for (const mount of container.volumeMounts ?? []) {
    const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
    const content = volume === undefined ? undefined : await volumeContent(options, volume);
    const directory = join(root, mount.mountPath);
    await (content === undefined ? mkdir(directory, { recursive: true }) : writeVolume(directory, content));
  }
  if (options.vanillaEnvoys) await writeMeshConfig(options);
}

/**
 * istiod prefers this file to the ConfigMap, which stays what the product made it: nothing but the process
 * gets the settings for vanilla Envoys.
 */
async function writeMeshConfig({ root, lookup }: IstiodFilesOptions): Promise<void> {
  const mesh = lookup("configmaps", MESH_CONFIG_MAP)?.get("mesh");
  if (mesh === undefined) throw new Error(`configmaps/${MESH_CONFIG_MAP} is not there yet; create it`);
  const content = new Map([["mesh", Buffer.from(forVanillaEnvoy(mesh.toString()))]]);
  await writeVolume(join(root, MESH_CONFIG_DIRECTORY), content);
}

/**
 * istiod acts as its ServiceAccount: in-cluster configuration, with the mounted token and CA, written out.
 */
async function writeKubeconfig({ root, server }: IstiodFilesOptions): Promise<string> {
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
