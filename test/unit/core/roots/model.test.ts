import { expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Member } from "../../../../shared/core/member/observation.ts";
import { named } from "../../../../shared/core/member/observation.ts";
import { clusterId } from "../../../../shared/core/names.ts";
import { gateOf } from "../../../../shared/core/roots/gate.ts";
import { unsafeRoots } from "../../../../shared/core/roots/guard.ts";
import { NO_NOTES } from "../../../../shared/core/roots/notes.ts";
import {
  abort,
  advance,
  claimNext,
  isRefusal,
  type Roots,
  seenBy,
} from "../../../../shared/core/roots/stages.ts";
import {
  bundleVersions,
  formatRootVersions,
  type RootVersions,
} from "../../../../shared/core/roots/state.ts";
import { viewOf } from "../../../../shared/core/roots/view.ts";
import { aCluster } from "../../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  ownCacerts,
  ownControlPlane,
} from "../../../support/builders/member.ts";
import { aSpec } from "../../../support/builders/spec.ts";

const TTL = 100;
const SKEW = 5;
const SPEC = { workloadTtl: TTL, clockSkew: SKEW, projects: ["shop"], allow: [] };
const START = new Date("2026-03-01T12:00:00Z").getTime();

/** What one member's Secret holds, and what its istiod makes of it. */
interface ModelMember {
  readonly name: string;
  reachable: boolean;
  /** As written. */
  written: RootVersions;
  /** As istiod has loaded it: what it signs under, and what its workloads trust. */
  loaded: RootVersions;
  loadedAt: number | undefined;
  /** First load of the root versions that are written; a re-issue for the same versions keeps it. */
  versionsLoadedAt: number | undefined;
  /** Undefined for one that was there before the first rotation. */
  readonly joinedAt: number | undefined;
  /** Roots of leaves that were issued before the last load, and until when those live. */
  readonly leaves: { readonly root: number; readonly until: number }[];
}

interface Model {
  now: number;
  roots: Roots;
  readonly members: ModelMember[];
  versions: number;
  /** The aliases before and after a person edited them; undefined if none has. */
  edited: { readonly from: RootVersions; readonly to: RootVersions } | undefined;
}

type Move =
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "reconcile" | "start" | "tick" | "abort" | "join" | "edit" | "mend" }
  | { readonly kind: "load" | "settle" | "reissue" | "toggle" | "edit"; readonly which: number };

const anyMember = fc.nat({ max: 7 });
const weighed = (weight: number, arbitrary: fc.Arbitrary<Move>) => ({ weight, arbitrary });

/** Weighed so that rotations get far: blocks are rare, and waits are near the life of a certificate. */
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    weighed(8, fc.record({ kind: fc.constant("wait"), seconds: fc.constantFrom(1, 20, 50, 90, 120) })),
    weighed(8, fc.constant({ kind: "tick" })),
    weighed(8, fc.record({ kind: fc.constant("settle"), which: anyMember })),
    weighed(4, fc.record({ kind: fc.constant("load"), which: anyMember })),
    weighed(4, fc.record({ kind: fc.constantFrom("start", "mend") })),
    weighed(2, fc.record({ kind: fc.constant("reissue"), which: anyMember })),
    weighed(3, fc.record({ kind: fc.constantFrom("reconcile", "abort", "join") })),
    weighed(1, fc.record({ kind: fc.constantFrom("toggle", "edit"), which: anyMember })),
  ),
  { minLength: 20, maxLength: 120 },
);

function aModelMember(name: string, versions: RootVersions, now: number, joinedAt?: number): ModelMember {
  return {
    name,
    reachable: true,
    written: versions,
    loaded: versions,
    loadedAt: now,
    versionsLoadedAt: now,
    joinedAt,
    leaves: [],
  };
}

const dateOf = (time: number | undefined) => (time === undefined ? undefined : new Date(time));

function seen(model: Model): Member[] {
  return model.members.map((member) => {
    const cluster = aCluster({ name: member.name });
    if (!member.reachable) return anUnreachableMember(cluster);
    return aMember(cluster, {
      cacerts: ownCacerts({
        rootVersions: formatRootVersions(member.written),
        rootFingerprints: bundleVersions(member.written).map(String),
        loadedAt: dateOf(member.loadedAt),
        versionsLoadedAt: dateOf(member.versionsLoadedAt),
        joinedAt: dateOf(member.joinedAt),
      }),
      controlPlane: ownControlPlane({ workloadTtl: TTL }),
    });
  });
}

/** What reconciling does to the Secrets: each member that may have the roots of now is given them. */
function reconcile(model: Model): void {
  for (const member of model.members) {
    const rootVersions = formatRootVersions(member.written);
    if (!member.reachable || rootVersions === formatRootVersions(model.roots.versions)) continue;
    if (
      unsafeRoots(
        { rootVersions },
        { roots: model.roots, spec: aSpec() },
        named(aCluster({ name: member.name })),
      ) !== undefined
    )
      continue;
    member.written = model.roots.versions;
    member.loadedAt = undefined;
    member.versionsLoadedAt = undefined;
  }
}

/** Another intermediate for the roots that it has. */
function reissue(member: ModelMember | undefined): void {
  if (member?.reachable === true) member.loadedAt = undefined;
}

function load(member: ModelMember | undefined, now: number): void {
  if (member === undefined || member.loadedAt !== undefined) return;
  const root = member.loaded.signing ?? 0;
  member.leaves.push({ root, until: now + TTL * 1000 });
  member.loaded = member.written;
  if (!member.reachable) return;
  member.loadedAt = now;
  member.versionsLoadedAt ??= now;
}

/** What mostly happens: everybody gets the roots of now and loads them, but for one who is late. */
function settle(model: Model, late: number): void {
  reconcile(model);
  for (const [index, member] of model.members.entries()) if (index !== late) load(member, model.now);
}

function tick(model: Model): void {
  reconcile(model);
  const noted = seenBy(model.roots, viewOf(SPEC));
  if (noted !== undefined) apply(model, noted);
  const gate = gateOf({
    roots: model.roots,
    spec: SPEC,
    members: seen(model),
    unlisted: [],
    published: new Map(
      model.members.map(({ name, loaded }) => [
        clusterId(aCluster({ name }).ref),
        [{ namespace: "shop", fingerprints: bundleVersions(loaded).map(String) }],
      ]),
    ),
    now: new Date(model.now),
  });
  if (gate.open) apply(model, advance(model.roots, new Date(model.now)));
}

function apply(model: Model, result: ReturnType<typeof advance>): void {
  if (!isRefusal(result)) model.roots = { versions: result.versions, notes: result.notes };
}

/** What a person might do to the aliases who does not know better. */
function edit(model: Model, which: number): void {
  if (model.edited !== undefined) return;
  const from = model.roots.versions;
  const { signing = 1, next, previous } = from;
  const other = next ?? previous ?? model.versions + 1;
  const edits: RootVersions[] = [{ signing: other }, { signing }, { signing: other, previous: signing }, {}];
  const to = edits[which % edits.length] ?? {};
  model.edited = { from, to };
  model.roots = { ...model.roots, versions: to };
}

/** Puts back what was there before the edit; not once a rotation has gone on from the edited aliases. */
function mend(model: Model): void {
  const { edited, roots } = model;
  if (edited === undefined || roots.versions !== edited.to) return;
  model.roots = { ...roots, versions: edited.from };
  model.edited = undefined;
}

function step(model: Model, move: Move): void {
  switch (move.kind) {
    case "wait":
      model.now += move.seconds * 1000;
      break;
    case "reconcile":
      reconcile(model);
      break;
    case "tick":
      tick(model);
      break;
    case "start": {
      const begun = claimNext(model.roots, model.versions + 1, "generated", new Date(model.now));
      if (!isRefusal(begun)) model.versions += 1;
      apply(model, begun);
      break;
    }
    case "abort":
      apply(model, abort(model.roots, new Date(model.now)));
      break;
    case "join":
      if (model.members.length < 6 && model.edited === undefined) {
        model.members.push(
          aModelMember(`m${model.members.length}`, model.roots.versions, model.now, model.now),
        );
      }
      break;
    case "load":
      load(model.members[move.which % model.members.length], model.now);
      break;
    case "settle":
      settle(model, move.which);
      break;
    case "reissue":
      reissue(model.members[move.which % model.members.length]);
      break;
    case "toggle": {
      const member = model.members[move.which % model.members.length];
      if (member !== undefined) member.reachable = !member.reachable;
      break;
    }
    case "edit":
      edit(model, "which" in move ? move.which : 0);
      break;
    case "mend":
      mend(model);
      break;
  }
}

/** Under which roots a certificate may be alive somewhere now. */
function livingRoots({ members, now }: Model): Set<number> {
  return new Set(
    members.flatMap(({ loaded, leaves }) => [
      ...(loaded.signing === undefined ? [] : [loaded.signing]),
      ...leaves.filter(({ until }) => until > now).map(({ root }) => root),
    ]),
  );
}

it("whatever happens, every member trusts every root under which a certificate may be alive", () => {
  let retirements = 0;
  fc.assert(
    fc.property(moves, (sequence) => {
      const versions = { signing: 1 };
      const model: Model = {
        now: START,
        roots: { versions, notes: { ...NO_NOTES, origin: "generated" } },
        members: ["a", "b", "c"].map((name) => aModelMember(name, versions, START)),
        versions: 1,
        edited: undefined,
      };
      for (const move of sequence) {
        const before = model.members.map(({ written }) => new Set(bundleVersions(written)));
        step(model, move);
        const living = livingRoots(model);
        const faults = model.members.flatMap(({ name, written, loaded }, index) => {
          const bundle = new Set(bundleVersions(written));
          const earlier = before[index] ?? bundle;
          return [
            ...(living.isSubsetOf(new Set(bundleVersions(loaded)))
              ? []
              : [`${name} has not loaded a living root`]),
            ...(living.isSubsetOf(bundle) ? [] : [`${name} is to lose a living root`]),
            ...(bundle.isSubsetOf(earlier) || bundle.isSupersetOf(earlier)
              ? []
              : [`${name} is to get a bundle that does not nest`]),
          ];
        });
        expect(faults).toEqual([]);
      }
      retirements += model.roots.notes.retired.length;
    }),
    { numRuns: 400 },
  );
  // Otherwise nothing that matters has happened in any of the runs.
  expect(retirements).toBeGreaterThan(40);
});
