import type { Finding } from "../core/answers/finding.ts";
import { rootSecretName } from "../core/names.ts";
import { rotationDue } from "../core/roots/due.ts";
import { noSigningRoot } from "../core/roots/no-signing-root.ts";
import { type Stage, stageOf } from "../core/roots/stages.ts";
import { ROOT_ROLES, type RootRole } from "../core/roots/state.ts";
import { unclaimedRoots } from "../core/roots/unclaimed.ts";
import { lookAtGate } from "../look/gate.ts";
import { lookAtMesh } from "../look/mesh.ts";
import type { RotatorRun } from "./change-roots.ts";

/** The roots of a mesh and where their rotation stands; every time is RFC 3339. */
export interface RootView {
  readonly meshId: string;
  readonly secret: string;
  readonly stage: Stage;
  /** When the stage began; null without a note. */
  readonly since: string | null;
  readonly paused: string | null;
  readonly waitingFor: readonly string[];
  readonly until: string | null;
  readonly versions: readonly RootVersionView[];
  readonly findings: readonly Finding[];
}

export interface RootVersionView {
  readonly version: number;
  readonly role: RootRole | null;
  readonly enabled: boolean;
  readonly retired: boolean;
}

/** Reads aliases, versions and members; no payload. Throws as `lookAtMesh` does. */
export async function viewRoots(run: RotatorRun): Promise<RootView> {
  const { ports, spec, signal } = run;
  const [mesh, secretVersions] = await Promise.all([lookAtMesh(run, "mesh"), ports.keeper.list(signal)]);
  const { versions, notes } = mesh.roots;
  const stage = stageOf(mesh.roots);
  const gate = stage === "idle" ? undefined : await lookAtGate(run, mesh);
  const secret = rootSecretName(spec.meshId);
  return {
    meshId: spec.meshId,
    secret,
    stage,
    since: notes.stageSince?.toISOString() ?? null,
    paused: notes.paused?.toISOString() ?? null,
    waitingFor: gate?.waitingFor ?? [],
    until: gate?.until?.toISOString() ?? null,
    versions: secretVersions.map(({ version, enabled }) => ({
      version,
      role: ROOT_ROLES.find((role) => versions[role] === version) ?? null,
      enabled,
      retired: notes.retired.includes(version),
    })),
    findings: [
      ...[noSigningRoot(spec, versions) ?? []].flat(),
      ...[rotationDue(mesh.members, mesh.roots, spec, ports.clock.now()) ?? []].flat(),
      ...[gate?.overdue ?? []].flat(),
      ...unclaimedRoots(secretVersions, mesh.roots, spec),
    ],
  };
}
