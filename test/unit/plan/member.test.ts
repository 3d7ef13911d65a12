import { describe, expect, it } from "@jest/globals";
import type {
  ControlPlaneIdentity,
  ControlPlaneState,
  Member,
  Reachable,
} from "../../../shared/core/member/observation.ts";
import { NO_NOTES, type RootNotes } from "../../../shared/core/roots/notes.ts";
import type { Roots } from "../../../shared/core/roots/stages.ts";
import type { RootVersions } from "../../../shared/core/roots/state.ts";
import type { MemberContext } from "../../../shared/plan/context.ts";
import { type PeerStanding, peerStanding, planMember } from "../../../shared/plan/member.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  EMPTY,
  MANIFEST,
  NOW,
  ownCacerts,
  ownControlPlane,
  ROOTS,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const ID = aMember().clusterId;
const OBJECTS = { objects: () => [{ kind: "Service", namespace: "istio-system", name: "istiod" }] };

const NO_COLLISION = { collisions: new Set<string>(), findings: [] };
const COLLISION = { collisions: new Set([ID]), findings: [] };

function aContext(seed: Partial<MemberContext> = {}): MemberContext {
  return {
    spec: aSpec(),
    roots: rootsAt(ROOTS),
    desired: { ...MANIFEST, ...OBJECTS },
    listing: NO_COLLISION,
    members: [],
    confirm: [],
    now: NOW,
    ...seed,
  };
}

function rootsAt(versions: RootVersions, notes: Partial<RootNotes> = {}): Roots {
  return { versions, notes: { ...NO_NOTES, ...notes } };
}

const having = (seen: Partial<Reachable>): Member => aMember(aCluster(), seen);
const reasonsOf = (findings: readonly { readonly reason: string }[]) => findings.map(({ reason }) => reason);

const IDENTITY: ControlPlaneIdentity = {
  meshId: "prod",
  clusterId: ID,
  network: "shop.default",
  trustDomain: "cluster.local",
};

/** An istiod that a person installed, in every way like one of this mesh. */
function aGuest(seed: Partial<ControlPlaneState> = {}): ControlPlaneState {
  return ownControlPlane({
    owner: "foreign",
    manifestHash: undefined,
    identity: IDENTITY,
    ...seed,
  });
}

describe("planMember", () => {
  it("finds nothing to do with a member that is as it should be", () => {
    expect(planMember(aMember(), aContext())).toEqual({
      clusterId: ID,
      standing: "complete",
      actions: [],
      findings: [],
    });
  });

  it.each([
    ["has it said that an Autopilot cluster refuses sidecars, and is complete", true, false, 1],
    ["has nothing said of one that allows them", true, true, 0],
    ["has nothing said of a Standard cluster", false, false, 0],
  ])("%s", (_, autopilot, allowNetAdmin, count) => {
    const plan = planMember(aMember(aCluster({ autopilot, allowNetAdmin })), aContext());
    expect(plan.standing).toBe("complete");
    expect(reasonsOf(plan.findings)).toEqual(Array(count).fill("AutopilotNeedsNetAdmin"));
  });

  it("makes an empty cluster a member, in the order that istiod needs", () => {
    const { standing, actions } = planMember(having(EMPTY), aContext());
    expect(standing).toBe("pending");
    expect(actions.map(({ kind, verb, findings }) => [verb, kind, ...reasonsOf(findings)])).toEqual([
      ["create", "labelNamespace", "NamespaceNotLabelled"],
      ["create", "issueIntermediate", "CacertsMissing"],
      ["create", "applyControlPlane", "ControlPlaneMissing"],
    ]);
  });

  it.each<[string, Partial<Reachable>, Partial<MemberContext>, readonly unknown[]]>([
    [
      "labels a namespace that is nobody's",
      { namespace: { owner: "foreign", network: undefined, terminating: false, acceptedCacerts: undefined } },
      {},
      [{ kind: "labelNamespace", verb: "update", network: "shop.default" }],
    ],
    [
      "labels a namespace that lost its network",
      { namespace: { owner: "ours", network: undefined, terminating: false, acceptedCacerts: undefined } },
      {},
      [{ kind: "labelNamespace", verb: "update", findings: [{ reason: "NamespaceNotLabelled" }] }],
    ],
    [
      "issues an intermediate where there is none",
      { cacerts: undefined },
      {},
      [{ kind: "issueIntermediate", verb: "create", resourceVersion: undefined }],
    ],
    [
      "issues another intermediate where somebody has edited it",
      { cacerts: ownCacerts({ editedBy: "kubectl" }) },
      {},
      [
        {
          kind: "issueIntermediate",
          verb: "update",
          resourceVersion: "7",
          findings: [{ reason: "CacertsOutdated", message: expect.stringContaining("kubectl") }],
        },
      ],
    ],
    [
      "issues another intermediate at once where no istiod has begun with the one that is outdated",
      { controlPlane: undefined, pods: [] },
      { roots: rootsAt({ signing: 1, next: 2 }) },
      [{ kind: "issueIntermediate", verb: "update" }, { kind: "applyControlPlane" }],
    ],
    [
      "installs istiod where there is none",
      { controlPlane: undefined, pods: [] },
      {},
      [{ kind: "applyControlPlane", verb: "create", manifestHash: MANIFEST.manifestHash }],
    ],
    [
      "applies the manifest again that was not applied to its end",
      { controlPlane: ownControlPlane({ manifestHash: undefined }) },
      {},
      [{ kind: "applyControlPlane", verb: "update" }],
    ],
  ])("%s", (_, seen, context, expected) => {
    const plan = planMember(having(seen), aContext(context));
    expect(plan.actions).toMatchObject(expected);
    expect(plan.actions).toHaveLength(expected.length);
    expect(plan.standing).toBe("pending");
  });

  const rollOut = {
    kind: "applyControlPlane",
    verb: "update",
    manifestHash: "fedcba9876543210",
    findings: [{ reason: "ControlPlaneOutdated" }],
  };

  it("has a changed manifest wait for its turn", () => {
    const plan = planMember(
      aMember(),
      aContext({ desired: { ...MANIFEST, ...OBJECTS, manifestHash: rollOut.manifestHash } }),
    );
    expect(plan).toMatchObject({ standing: "complete", actions: [], rollOut });
    expect(reasonsOf(plan.findings)).toEqual(["ControlPlaneOutdated"]);
  });

  it("waits for a confirmation before it installs another Istio", () => {
    const desired = { ...OBJECTS, manifestHash: rollOut.manifestHash, istioVersion: "1.32.0" };
    const plan = planMember(aMember(), aContext({ desired }));
    expect(plan).toMatchObject({ standing: "complete", actions: [] });
    expect(plan).not.toHaveProperty("rollOut");
    expect(reasonsOf(plan.findings)).toEqual(["IstioVersionDiffers"]);
    expect(planMember(aMember(), aContext({ desired, confirm: ["IstioVersionDiffers"] }))).toMatchObject({
      rollOut,
    });
  });

  it("issues a new intermediate when somebody has changed the one that is there", () => {
    const plan = planMember(having({ cacerts: ownCacerts({ editedBy: "kubectl-edit" }) }), aContext());
    expect(plan.actions).toMatchObject([
      {
        kind: "issueIntermediate",
        verb: "update",
        resourceVersion: "7",
        findings: [{ reason: "CacertsOutdated", message: expect.stringContaining("kubectl-edit") }],
      },
    ]);
  });

  it.each<[string, ControlPlaneState, string]>([
    [
      "in its pods' words",
      ownControlPlane({ rolledOut: false, notReadyBecause: "pod istiod-1: Unschedulable: 0/3 nodes" }),
      "pod istiod-1: Unschedulable: 0/3 nodes",
    ],
    ["as far as it is known", ownControlPlane({ rolledOut: false }), "no pod has reported a condition yet"],
  ])("says why istiod is not ready, %s", (_, controlPlane, words) => {
    const plan = planMember(having({ controlPlane }), aContext());
    expect(plan.standing).toBe("pending");
    expect(plan.findings).toMatchObject([{ reason: "ControlPlaneNotReady", clusterId: ID }]);
    expect(plan.findings[0]?.message).toContain(words);
  });

  it("names the image that a node cannot get, in place of that", () => {
    const image = "docker.io/istio/pilot:1.31.4";
    const unpulledImage = {
      image,
      pod: "istiod-1",
      node: "node-7",
      said: `ErrImagePull: ${image}: not found`,
    };
    const controlPlane = ownControlPlane({
      rolledOut: false,
      unpulledImage,
      notReadyBecause: "pod istiod-1",
    });
    const plan = planMember(having({ controlPlane }), aContext());
    expect(plan.standing).toBe("pending");
    expect(plan.findings).toMatchObject([
      {
        reason: "ImageNotPulled",
        clusterId: ID,
        message: `istiod is not ready: node node-7 cannot get the image ${image} for pod istiod-1: ErrImagePull: ${image}: not found`,
        cure: expect.stringContaining("MESHJOIN_ISTIO_HUB"),
      },
    ]);
  });

  it("does not call a member complete that has no Ready pod", () => {
    expect(planMember(having({ pods: [] }), aContext()).standing).toBe("pending");
  });

  it.each<[string, string, Member, Partial<MemberContext>]>([
    ["ApiServerUnreachable", "its API server did not answer", anUnreachableMember(), {}],
    ["ApiServerRefused", "its API server refused", anUnreachableMember(aCluster(), false), {}],
    ["ClusterIdCollision", "another has its ID", aMember(), { listing: COLLISION }],
    ["ManagedMesh", "Cloud Service Mesh manages it", having({ ...EMPTY, managedMesh: true }), {}],
    [
      "NamespaceTerminating",
      "its namespace is being deleted",
      having({
        namespace: { owner: "ours", network: "shop.default", terminating: true, acceptedCacerts: undefined },
      }),
      {},
    ],
    [
      "OtherMesh",
      "its namespace is another mesh's",
      having({
        namespace: {
          owner: "otherMesh",
          network: "shop.default",
          terminating: false,
          acceptedCacerts: undefined,
        },
      }),
      {},
    ],
    [
      "OtherMesh",
      "its cacerts is another mesh's",
      having({ cacerts: ownCacerts({ owner: "otherMesh" }) }),
      {},
    ],
    [
      "OtherMesh",
      "its istiod is another mesh's",
      having({ controlPlane: ownControlPlane({ owner: "otherMesh" }) }),
      {},
    ],
    [
      "NetworkConflict",
      "its namespace names another network",
      having({
        namespace: { owner: "foreign", network: "shop.dmz", terminating: false, acceptedCacerts: undefined },
      }),
      {},
    ],
    [
      "SelfSignedMesh",
      "an istiod wrote its cacerts",
      having({ cacerts: { owner: "foreign", trust: "generated" } }),
      {},
    ],
    [
      "SelfSignedMesh",
      "its istiod signs with a CA of its own",
      having({ cacerts: undefined, selfSignedCa: true }),
      {},
    ],
    [
      "ForeignCacerts",
      "its cacerts chains to other roots",
      having({ cacerts: { owner: "foreign", trust: "otherRoots", faults: ["it is another's"] } }),
      {},
    ],
    [
      "ForeignControlPlane",
      "a foreign istiod says nothing of itself",
      having({ controlPlane: aGuest({ identity: undefined }) }),
      {},
    ],
  ])("is blocked by %s when %s", (reason, _, member, context) => {
    const plan = planMember(member, aContext(context));
    expect(plan).toMatchObject({ standing: "blocked", actions: [] });
    expect(reasonsOf(plan.findings)).toEqual([reason]);
    expect(plan.findings[0]).toMatchObject({ clusterId: ID, cure: expect.stringMatching(/\w/) });
    expect(peerStanding(member, aContext(context))).toBe("blocked");
  });

  it.each<[string, Partial<ControlPlaneIdentity>]>([
    ["mesh ID", { meshId: "staging" }],
    ["cluster ID", { clusterId: "Kubernetes" }],
    ["network", { network: undefined }],
    ["trust domain", { trustDomain: "td1" }],
  ])("names the %s in which a foreign istiod differs", (what, differing) => {
    const identity = { ...IDENTITY, ...differing };
    const plan = planMember(having({ controlPlane: aGuest({ identity }) }), aContext());
    expect(reasonsOf(plan.findings)).toEqual(["ForeignControlPlane"]);
    expect(plan.findings[0]?.message).toMatch(new RegExp(`differs in ${what}$`));
  });

  it("names a foreign istiod without cacerts as one that does not share the root", () => {
    const plan = planMember(having({ controlPlane: aGuest(), cacerts: undefined }), aContext());
    expect(plan.findings[0]?.message).toMatch(/root \(it has no cacerts\)$/);
  });

  it.each<[string, Partial<Reachable>]>([
    ["in its secret", { cacerts: undefined, selfSignedCa: true }],
    ["in cacerts", { cacerts: { owner: "foreign", trust: "generated" } }],
  ])("says once of a foreign istiod with a CA of its own %s what is wrong", (_, seen) => {
    const controlPlane = aGuest({ identity: { ...IDENTITY, meshId: "staging" } });
    const plan = planMember(having({ ...seen, controlPlane }), aContext());
    expect(plan.standing).toBe("blocked");
    expect(reasonsOf(plan.findings)).toEqual(["SelfSignedMesh"]);
  });

  it("takes a ca of its own for a leftover where there is a cacerts or no istiod", () => {
    for (const seen of [{ selfSignedCa: true }, { ...EMPTY, selfSignedCa: true }]) {
      expect(planMember(having(seen), aContext()).standing).not.toBe("blocked");
    }
  });

  it("collects everything that blocks, not only the first", () => {
    const member = having({
      namespace: { owner: "foreign", network: "shop.dmz", terminating: true, acceptedCacerts: undefined },
      cacerts: { owner: "foreign", trust: "unloadable", faults: ["it is empty"] },
    });
    const { findings } = planMember(member, aContext({ listing: COLLISION }));
    expect(reasonsOf(findings)).toEqual([
      "ClusterIdCollision",
      "NamespaceTerminating",
      "NetworkConflict",
      "ForeignCacerts",
    ]);
  });

  it.each([
    ["otherRoots", /import its root/],
    ["unloadable", /^mend it/],
  ] as const)("says what is wrong with a foreign cacerts that is %s, and its own cure", (trust, cure) => {
    const cacerts = { owner: "foreign", trust, faults: ["it expired", "its key is another's"] } as const;
    const { findings } = planMember(having({ cacerts }), aContext());
    expect(findings).toMatchObject([{ reason: "ForeignCacerts", cure: expect.stringMatching(cure) }]);
    expect(findings[0]?.message).toMatch(/: it expired; its key is another's$/);
  });

  it("accepts a foreign cacerts of the same roots, and never replaces it", () => {
    const { cacerts, namespace } = anAccepted("7 {} 2027-01-01T00:00:00.000Z");
    const plan = planMember(having({ cacerts, namespace }), aContext({ roots: rootsAt({ signing: 2 }) }));
    expect(plan).toMatchObject({ standing: "complete", actions: [] });
    expect(reasonsOf(plan.findings)).toEqual(["ForeignCacertsAccepted"]);
  });

  it.each<[string, Partial<Reachable>, string | undefined]>([
    ["with the labels, where the namespace is ours", {}, "shop.default"],
    ["alone, where it is a guest's", { controlPlane: aGuest(), namespace: aForeignNamespace() }, undefined],
    ["with the labels, where it was ours before the guest came", { controlPlane: aGuest() }, "shop.default"],
  ])("notes on the namespace that it was accepted, %s", (_, seen, network) => {
    const { cacerts } = anAccepted("7 {} 2027-01-01T00:00:00.000Z");
    const { actions } = planMember(having({ cacerts, ...seen }), aContext());
    const acceptance = "7 {} 2027-01-01T00:00:00.000Z";
    expect(actions).toMatchObject([{ kind: "labelNamespace", verb: "update", network, acceptance }]);
  });

  it("accepts a foreign istiod of the mesh, and never touches it", () => {
    const plan = planMember(
      having({ controlPlane: aGuest() }),
      aContext({ roots: rootsAt({ signing: 1, next: 2 }) }),
    );
    expect(plan).toMatchObject({ standing: "complete", actions: [] });
    expect(plan).not.toHaveProperty("renewal");
    expect(reasonsOf(plan.findings)).toEqual(["ForeignControlPlaneAccepted"]);
  });
});

describe("an intermediate that serves", () => {
  const DAY = 86_400_000;
  const later = (days: number) => new Date(NOW.getTime() + days * DAY);
  const renewalOf = (seen: Partial<Reachable>, context: Partial<MemberContext>) => {
    const plan = planMember(having(seen), aContext(context));
    expect(plan.actions).toEqual([]);
    expect(plan.standing).toBe("complete");
    return { renewal: plan.renewal?.findings.map(({ reason }) => reason), reasons: reasonsOf(plan.findings) };
  };

  it.each<[string, Partial<Reachable>, Partial<MemberContext>, readonly string[]]>([
    ["a root is claimed", {}, { roots: rootsAt({ signing: 1, next: 2 }) }, ["CacertsOutdated"]],
    ["two thirds of its life are over", {}, { now: later(60) }, ["CertificateDue"]],
    [
      "the mesh was told to",
      {},
      { roots: rootsAt(ROOTS, { rotateBefore: later(1) }), now: later(1) },
      ["CertificateDue"],
    ],
    ["the run was told to", {}, { rotateBefore: later(1), now: later(1) }, ["CertificateDue"]],
    [
      "the root that left is on record",
      { cacerts: ownCacerts({ rootVersions: '{"previous":1,"signing":2}' }) },
      { roots: rootsAt({ signing: 2 }, { retired: [1] }) },
      ["CacertsOutdated"],
    ],
    [
      "another root signs that all were seen to trust",
      { cacerts: ownCacerts({ rootVersions: '{"next":2,"signing":1}' }) },
      { roots: rootsAt({ previous: 1, signing: 2 }, { distributed: [1, 2] }) },
      ["CacertsOutdated"],
    ],
    [
      "the order is about a certificate that has no date",
      { cacerts: ownCacerts({ issuedAt: undefined }) },
      {},
      ["CertificateDue"],
    ],
  ])("is due for another when %s", (_, seen, context, expected) => {
    const { renewal, reasons } = renewalOf(seen, context);
    expect(renewal).toEqual(expected);
    expect(reasons).toEqual(expect.arrayContaining([...expected]));
  });

  it.each<[string, Partial<Reachable>, Partial<MemberContext>, readonly string[]]>([
    ["half of its life is over", {}, { now: later(45) }, []],
    ["it was issued after the order", {}, { rotateBefore: NOW }, []],
    [
      "a root of its bundle has no alias any more, and is not on record",
      { cacerts: ownCacerts({ rootVersions: '{"previous":1,"signing":2}' }) },
      { roots: rootsAt({ signing: 2 }) },
      ["RootMissing"],
    ],
    [
      "it is old, and a root of its bundle is missing",
      {},
      { roots: rootsAt({ signing: 2 }), now: later(70) },
      ["RootMissing"],
    ],
    [
      "a root is to sign that it does not trust yet",
      {},
      { roots: rootsAt({ previous: 1, signing: 2 }) },
      ["RootNotDistributed"],
    ],
    [
      "a root is to sign that it trusts, and perhaps nobody else",
      { cacerts: ownCacerts({ rootVersions: '{"next":2,"signing":1}' }) },
      { roots: rootsAt({ previous: 1, signing: 2 }) },
      ["RootNotDistributed"],
    ],
    [
      "one root would leave its bundle in the step in which another comes",
      { cacerts: ownCacerts({ rootVersions: '{"next":3,"signing":1}' }) },
      { roots: rootsAt({ signing: 1, next: 2 }, { retired: [3] }) },
      ["RootNotDistributed"],
    ],
    [
      "all its roots were retired while it was away",
      {},
      { roots: rootsAt({ signing: 3 }, { retired: [1, 2], distributed: [3] }) },
      ["RotationMissed"],
    ],
    [
      "another one would not outlive it",
      { cacerts: ownCacerts({ rootNotAfter: later(90) }) },
      { now: later(62) },
      ["RootExpiring"],
    ],
  ])("is kept when %s", (_, seen, context, expected) => {
    expect(renewalOf(seen, context)).toEqual({ renewal: undefined, reasons: expected });
  });

  it("is named when it was not renewed in time", () => {
    expect(renewalOf({}, { now: later(80) }).reasons).toContain("CertificateExpiring");
  });

  it.each<[string, string, Partial<Reachable>, Partial<MemberContext>]>([
    ["renews this one alone", "meshjoin rotate --cluster cn-shop-europe-west1-east", {}, { now: later(80) }],
    [
      "gives back the one alias that is free, beside those that are there",
      "gcloud secrets update prod-root-ca --project=shop --update-version-aliases=signing=2,previous=1",
      { cacerts: ownCacerts({ rootVersions: '{"previous":1,"signing":2}' }) },
      { roots: rootsAt({ signing: 2 }) },
    ],
    [
      "gives back all aliases, since gcloud replaces the map",
      "gcloud secrets update prod-root-ca --project=shop --update-version-aliases=signing=1,next=2",
      {},
      { roots: rootsAt({ previous: 1, signing: 2 }) },
    ],
  ])("has a command for a person that %s", (_, command, seen, context) => {
    const { findings } = planMember(having(seen), aContext(context));
    expect(findings.map(({ cure }) => cure)).toContainEqual(expect.stringContaining(`: ${command}`));
  });

  it("that somebody has edited stays where the roots are not safe to be changed", () => {
    expect(
      renewalOf({ cacerts: ownCacerts({ editedBy: "kubectl" }) }, { roots: rootsAt({ signing: 2 }) }),
    ).toEqual({
      renewal: undefined,
      reasons: ["RootMissing"],
    });
  });
});

describe("peerStanding", () => {
  it.each<[PeerStanding, string, Partial<Reachable>]>([
    ["complete", "needs nothing", {}],
    ["complete", "is due for another certificate", { cacerts: ownCacerts({ rootVersions: "" }) }],
    ["complete", "is due for another manifest", { controlPlane: ownControlPlane({ manifestHash: "0" }) }],
    ["complete", "has a guest's istiod", { controlPlane: aGuest() }],
    ["complete", "has its namespace unread", { namespace: undefined }],
    ["pending", "has no cacerts", { cacerts: undefined }],
    ["pending", "has no istiod", { controlPlane: undefined, pods: [] }],
    ["pending", "has half a manifest", { controlPlane: ownControlPlane({ manifestHash: undefined }) }],
    ["down", "does not serve", { controlPlane: ownControlPlane({ serves: false }) }],
    ["complete", "is in the middle of a roll-out", { controlPlane: ownControlPlane({ rolledOut: false }) }],
    ["down", "has no Ready pod", { pods: [] }],
  ])("is %s for one that %s", (standing, _, seen) => {
    expect(peerStanding(having(seen), aContext())).toBe(standing);
  });
});

function aForeignNamespace(): Reachable["namespace"] {
  return { owner: "foreign", network: "shop.default", terminating: false, acceptedCacerts: undefined };
}

/** A `cacerts` that was accepted, and the namespace that says so. */
function anAccepted(acceptance: string) {
  return {
    cacerts: { owner: "foreign", trust: "sameRoots", acceptance },
    namespace: { owner: "ours", network: "shop.default", terminating: false, acceptedCacerts: acceptance },
  } as const;
}
