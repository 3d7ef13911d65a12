import { rootsOf, type Stage, stageOf } from "../../../shared/core/roots/stages.ts";
import type { RootVersions } from "../../../shared/core/roots/state.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { parseBundle } from "../../../shared/pki/certificate.ts";
import type { Reconciled } from "../../../shared/reconcile.ts";
import type { Changed } from "../../../shared/rotate/change-roots.ts";
import { orderRoot, type RootAction, type RootConfirmable, tick } from "../../../shared/rotate/rotate.ts";
import { aMesh, type FakeMesh, type MeshOptions, type ProcessOptions } from "../../support/fakes/mesh.ts";
import { fileOf, secretsOf } from "../reconcile/world.ts";

export const DAY = 86_400;
/** Longer than the longest certificate of a workload and the skew of clocks together. */
export const STAGE = DAY + 301;

/** Its tokens live long enough for years to pass between two runs. */
export async function aJoinedMesh({ spec, ...options }: MeshOptions = { members: 2 }): Promise<FakeMesh> {
  const mesh = await aMesh({ ...options, spec: { tokenTtl: 20 * 365 * DAY, ...spec } });
  mesh.roots.setAnnotations({ "meshjoin.dev_origin": "generated" });
  await mesh.reconcile("mesh");
  return mesh;
}

/** In a process of its own, a second after what was before. */
export async function order(
  mesh: FakeMesh,
  action: RootAction,
  { without = [], confirm = [], spec = {}, ...process }: Omit<ProcessOptions, "confirm"> & OrderOptions = {},
): Promise<Changed> {
  mesh.clock.advance(1);
  const run = mesh.run(process);
  const given = { action, givenAt: mesh.clock.now(), without, confirm };
  return await orderRoot({ ...run, spec: { ...run.spec, ...spec } }, given);
}

interface OrderOptions {
  readonly without?: readonly string[];
  readonly confirm?: readonly RootConfirmable[];
  /** What another configuration says, a laptop's for instance. */
  readonly spec?: Partial<MeshSpec>;
}

export async function ticks(mesh: FakeMesh, process?: ProcessOptions): Promise<Reconciled> {
  const { reconciled } = await tick(mesh.run(process));
  if (reconciled === undefined) throw new Error("a tick reconciles");
  return reconciled;
}

/** A whole stage later, with all that a stage takes: the members get it, load it, and its time is over. */
export async function throughStage(mesh: FakeMesh): Promise<void> {
  await ticks(mesh);
  mesh.clock.advance(STAGE);
  await ticks(mesh);
}

export async function rootsNow(mesh: FakeMesh): Promise<{ stage: Stage; versions: RootVersions }> {
  const roots = rootsOf(await mesh.roots.state());
  return { stage: stageOf(roots), versions: roots.versions };
}

/** How many roots each member's bundle holds. */
export function bundleSizes(mesh: FakeMesh): number[] {
  return mesh.clusters.map((cluster) => {
    const cacerts = secretsOf(mesh, cluster).find(({ metadata }) => metadata.name === "cacerts");
    return cacerts === undefined ? 0 : parseBundle(fileOf(cacerts, "root-cert.pem")).length;
  });
}

/** Serials of the members' intermediates. */
export function serials(mesh: FakeMesh): (string | undefined)[] {
  return mesh.clusters.map(
    (cluster) =>
      secretsOf(mesh, cluster).find(({ metadata }) => metadata.name === "cacerts")?.metadata.annotations?.[
        "meshjoin.dev/serial"
      ],
  );
}
