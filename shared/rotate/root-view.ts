import type { Finding } from "../core/answers/finding.ts";
import { isReachable, type Member } from "../core/member/observation.ts";
import { rootSecretName } from "../core/names.ts";
import { rootFindings } from "../core/roots/findings.ts";
import type { RootOrigin } from "../core/roots/notes.ts";
import { type Roots, type Stage, stageOf } from "../core/roots/stages.ts";
import { bundleVersions, parseRootVersions, ROOT_ROLES, type RootRole } from "../core/roots/state.ts";
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
  /** Null where Meshjoin has noted none: only a root with a role has one. */
  readonly origin: RootOrigin | null;
  /** SHA-256 as the members have it, lower-case hex; null for a root that none trusts. */
  readonly fingerprint: string | null;
  /** When it ends; null for a root that has issued no intermediate of a member. */
  readonly notAfter: string | null;
}

/** Reads aliases, versions and members; no payload. Throws as `lookAtMesh` does. */
export async function viewRoots(run: RotatorRun): Promise<RootView> {
  const { ports, spec, signal } = run;
  const [mesh, secretVersions] = await Promise.all([lookAtMesh(run, "mesh"), ports.keeper.list(signal)]);
  const { versions, notes } = mesh.roots;
  const stage = stageOf(mesh.roots);
  const gate = stage === "idle" ? undefined : await lookAtGate(run, mesh);
  const secret = rootSecretName(spec.meshId);
  const shown = shownBy(mesh.members);
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
      origin: originOf(version, mesh.roots),
      ...(shown.get(version) ?? { fingerprint: null, notAfter: null }),
    })),
    findings: [
      ...rootFindings(mesh, spec, ports.clock.now()),
      ...[gate?.overdue ?? []].flat(),
      ...unclaimedRoots(secretVersions, mesh.roots, spec),
    ],
  };
}

function originOf(version: number, { versions, notes }: Roots): RootOrigin | null {
  if (version === versions.signing) return notes.origin ?? null;
  return version === (versions.next ?? versions.previous) ? (notes.otherOrigin ?? null) : null;
}

type Shown = Pick<RootVersionView, "fingerprint" | "notAfter">;

/** What the annotations of the members' `cacerts` tell of root versions. They name a bundle in its order. */
function shownBy(members: readonly Member[]): ReadonlyMap<number, Shown> {
  const shown = new Map<number, Shown>();
  for (const { state } of members.filter(isReachable)) {
    if (state.cacerts?.owner !== "ours") continue;
    const { rootVersions, rootFingerprints, rootNotAfter } = state.cacerts;
    const roles = parseRootVersions(rootVersions);
    const bundle = bundleVersions(roles);
    if (bundle.length !== rootFingerprints.length) continue;
    for (const [index, version] of bundle.entries()) {
      const ends = version === roles.signing ? rootNotAfter?.toISOString() : undefined;
      shown.set(version, {
        fingerprint: rootFingerprints[index] ?? null,
        notAfter: ends ?? shown.get(version)?.notAfter ?? null,
      });
    }
  }
  return shown;
}
