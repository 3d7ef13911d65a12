import { describe, expect, it } from "@jest/globals";
import type { ForeignCacerts, OwnCacerts, Reachable } from "../../../../shared/core/member/observation.ts";
import { type GateInput, gateOf } from "../../../../shared/core/roots/gate.ts";
import { NO_NOTES } from "../../../../shared/core/roots/notes.ts";
import { formatRootVersions } from "../../../../shared/core/roots/state.ts";
import { aCluster } from "../../../support/builders/cluster.ts";
import {
  aMember,
  aReaderSecret,
  aRemoteSecret,
  NOW,
  ownCacerts,
  ownControlPlane,
} from "../../../support/builders/member.ts";

const HOUR = 3_600_000;
const VERSIONS = { signing: 1, next: 2 } as const;
const after = (hours: number) => new Date(NOW.getTime() + hours * HOUR);
const NEVER_UP = ownControlPlane({ rolledOut: false, serves: false });
const [EAST, NEWCOMER] = [aCluster({ name: "east" }), aCluster({ name: "newcomer" })];

/** In the bundle of this stage, loaded an hour after its begin. */
function cacerts(seed: Partial<OwnCacerts> = {}): OwnCacerts {
  const rootVersions = formatRootVersions(VERSIONS);
  return ownCacerts({ rootVersions, loadedAt: after(1), versionsLoadedAt: after(1), ...seed });
}

/** Two hours after the first member's certificates of before have ended. */
function gate(newcomer: Partial<Reachable>, east: Partial<Reachable> = {}) {
  const members = [
    aMember(EAST, { cacerts: cacerts(), ...east }),
    aMember(NEWCOMER, { cacerts: JOINED_LATE, ...newcomer }),
  ];
  const fingerprints = cacerts().rootFingerprints;
  const input: GateInput = {
    roots: {
      versions: VERSIONS,
      notes: { ...NO_NOTES, stageSince: NOW, view: { sources: ["shop"], allow: [] } },
    },
    spec: { workloadTtl: 86_400, clockSkew: 300, projects: ["shop"], allow: [] },
    members,
    unlisted: [],
    published: new Map(members.map(({ clusterId }) => [clusterId, [{ namespace: "shop", fingerprints }]])),
    now: after(28),
  };
  return gateOf(input);
}

const JOINED_LATE = cacerts({ joinedAt: after(20), loadedAt: undefined, versionsLoadedAt: undefined });

describe("the gate of a stage, for a cluster that joined in it", () => {
  it("does not wait until its istiod comes up", () => {
    expect(gate({ controlPlane: NEVER_UP })).toMatchObject({ open: true, waitingFor: [] });
  });

  it.each<[string, OwnCacerts, string]>([
    ["has not got the bundle", { ...JOINED_LATE, rootVersions: '{"signing":1}' }, "has not got the bundle"],
    ["has a cacerts that was edited", { ...JOINED_LATE, editedBy: "kubectl" }, "kubectl has edited"],
  ])("waits while it %s", (_, own, why) => {
    expect(gate({ cacerts: own })).toMatchObject({ open: false, waitingFor: [expect.stringContaining(why)] });
  });

  it.each<[string, Partial<OwnCacerts>, Date]>([
    ["joined before the stage", { joinedAt: after(-1) }, after(21)],
    ["was in the mesh before, as an older remote secret tells", {}, after(-48)],
  ])("waits for the istiod of one that %s", (_, own, createdAt) => {
    const remoteSecrets = [aRemoteSecret(EAST, NEWCOMER, { createdAt })];
    const found = gate({ cacerts: { ...JOINED_LATE, ...own }, controlPlane: NEVER_UP }, { remoteSecrets });
    expect(found).toMatchObject({
      open: false,
      waitingFor: [expect.stringContaining("does not serve its new")],
    });
  });

  it("waits for the istiod of one that was in the mesh before, though its gateway was away", () => {
    const remoteSecrets = [aRemoteSecret(EAST, NEWCOMER, { createdAt: after(22) })];
    const readerSecrets = [aReaderSecret(NEWCOMER, { createdAt: after(-48) })];
    const found = gate({ controlPlane: NEVER_UP }, { remoteSecrets, readerSecrets });
    expect(found).toMatchObject({
      open: false,
      waitingFor: [expect.stringContaining("does not serve its new")],
    });
  });

  it("is not held by remote secrets that were made when it joined", () => {
    const remoteSecrets = [aRemoteSecret(EAST, NEWCOMER, { createdAt: after(20) })];
    expect(gate({ controlPlane: NEVER_UP }, { remoteSecrets })).toMatchObject({ open: true });
  });
});

describe("the gate of a stage, for a foreign cacerts", () => {
  it("waits where nobody could judge it, and not where it is of no use to the mesh", () => {
    const because = { code: "Unavailable", message: "no answer", retryable: true } as const;
    const waitingFor = (foreign: ForeignCacerts) => gate({ cacerts: foreign }).waitingFor;
    expect(waitingFor({ owner: "foreign", trust: "unknown", because })).toHaveLength(1);
    expect(waitingFor({ owner: "foreign", trust: "otherRoots", faults: ["another root"] })).toEqual([]);
  });
});
