import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { V1KeyToPath, V1Volume, V1VolumeProjection } from "@kubernetes/client-node";
import { type ContainerContext, fieldValue } from "./container-spec.ts";

/** File name → content. */
export type VolumeContent = ReadonlyMap<string, Buffer>;

export interface TokenRequest {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface VolumeContext extends Pick<ContainerContext, "pod" | "podIp" | "node" | "lookup"> {
  /** A token of the pod's ServiceAccount that is bound to the pod. */
  readonly token: (request: TokenRequest) => Promise<string>;
}

interface ObjectSource {
  readonly name?: string;
  readonly optional?: boolean;
  readonly items?: V1KeyToPath[];
}

function fromObject(
  context: VolumeContext,
  kind: "configmaps" | "secrets",
  { name = "", optional = false, items }: ObjectSource,
): VolumeContent {
  const data = context.lookup(kind, name);
  if (data === undefined && !optional) throw new Error(`${kind}/${name} is not there yet; create it`);
  const found = data ?? new Map<string, Buffer>();
  if (items === undefined) return found;
  return new Map(
    items.flatMap(({ key, path }) => {
      const content = found.get(key);
      return content === undefined ? [] : [[path, content] as const];
    }),
  );
}

async function fromProjection(context: VolumeContext, source: V1VolumeProjection): Promise<VolumeContent> {
  if (source.secret !== undefined) return fromObject(context, "secrets", source.secret);
  if (source.configMap !== undefined) return fromObject(context, "configmaps", source.configMap);
  if (source.serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = 3600, path } = source.serviceAccountToken;
    return new Map([[path, Buffer.from(await context.token({ audience, expirationSeconds }))]]);
  }
  const files = (source.downwardAPI?.items ?? []).flatMap(({ path, fieldRef }) =>
    fieldRef === undefined ? [] : [[path, Buffer.from(fieldValue(context, fieldRef))] as const],
  );
  return new Map(files);
}

/** What a volume holds now; undefined for volumes that are empty directories to begin with. */
export async function volumeContent(
  context: VolumeContext,
  volume: V1Volume,
): Promise<VolumeContent | undefined> {
  if (volume.secret !== undefined) {
    const { secretName, optional, items } = volume.secret;
    return fromObject(context, "secrets", {
      ...(secretName !== undefined && { name: secretName }),
      ...(optional !== undefined && { optional }),
      ...(items !== undefined && { items }),
    });
  }
  if (volume.configMap !== undefined) return fromObject(context, "configmaps", volume.configMap);
  if (volume.projected === undefined) return undefined;
  const parts: VolumeContent[] = [];
  for (const source of volume.projected.sources ?? []) parts.push(await fromProjection(context, source));
  return new Map(parts.flatMap((part) => [...part]));
}

async function holds(directory: string, content: VolumeContent): Promise<boolean> {
  const current = await readdir(join(directory, "..data")).catch(() => undefined);
  if (current === undefined || current.length !== content.size) return false;
  for (const [name, bytes] of content) {
    const there = await readFile(join(directory, "..data", name)).catch(() => undefined);
    if (there === undefined || !there.equals(bytes)) return false;
  }
  return true;
}

/**
 * Writes as the kubelet does (pkg/volume/util/atomic_writer.go): all files into a new directory, then one
 * swap of the `..data` symlink that every visible file goes through, so that no reader ever sees half an
 * update.
 */
export async function writeVolume(directory: string, content: VolumeContent): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (await holds(directory, content)) return;
  const previous = await readlink(join(directory, "..data")).catch(() => undefined);
  const next = await mkdtemp(join(directory, "..v_"));
  for (const [name, bytes] of content) {
    await mkdir(dirname(join(next, name)), { recursive: true });
    await writeFile(join(next, name), bytes, { mode: 0o600 });
  }
  const swap = join(directory, "..data_tmp");
  await rm(swap, { force: true });
  await symlink(next.slice(directory.length + 1), swap);
  await rename(swap, join(directory, "..data"));

  const visible = new Set([...content.keys()].map((name) => name.split("/")[0] ?? name));
  for (const name of visible) {
    await symlink(join("..data", name), join(directory, name)).catch(() => undefined);
  }
  for (const name of await readdir(directory)) {
    if (!name.startsWith("..") && !visible.has(name)) await rm(join(directory, name), { force: true });
  }
  if (previous !== undefined) await rm(join(directory, previous), { recursive: true, force: true });
}
