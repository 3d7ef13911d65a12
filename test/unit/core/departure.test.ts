import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster.ts";
import { type Absence, type Answer, departedFrom, judgeAbsence } from "../../../shared/core/departure.ts";
import { clusterId } from "../../../shared/core/names.ts";
import { aCluster } from "../../builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  aPairedFleet,
  aReaderSecret,
  aRemoteSecret,
} from "../../builders/member.ts";
import { aSpec } from "../../builders/spec.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const GONE = aCluster({ name: "gone" });
const DEPARTED = { clusterId: clusterId(GONE.ref), gkeId: GONE.id, ref: GONE.ref };

describe("departedFrom", () => {
  it("finds nobody in a mesh that is whole", () => {
    expect(departedFrom(aPairedFleet([EAST, WEST]))).toEqual([]);
  });

  it.each([
    ["a remote secret", { remoteSecrets: [aRemoteSecret(EAST, GONE)] }],
    ["a reader Secret", { readerSecrets: [aReaderSecret(GONE)] }],
    ["both", { remoteSecrets: [aRemoteSecret(EAST, GONE)], readerSecrets: [aReaderSecret(GONE)] }],
  ])("finds whom %s speaks of and no member is", (_, state) => {
    expect(departedFrom([aMember(EAST, state), aMember(WEST)])).toEqual([DEPARTED]);
  });

  it("does not take a member for gone that cannot be reached", () => {
    const east = aMember(EAST, { remoteSecrets: [aRemoteSecret(EAST, WEST)] });
    expect(departedFrom([east, anUnreachableMember(WEST)])).toEqual([]);
  });

  it("leaves a cluster that was recreated to its new pairs", () => {
    const before = aRemoteSecret(EAST, { ...WEST, id: "the one before" });
    expect(departedFrom([aMember(EAST, { remoteSecrets: [before] }), aMember(WEST)])).toEqual([]);
  });

  it.each(["foreign", "otherMesh"] as const)("passes over what is not ours (%s)", (owner) => {
    const state = {
      remoteSecrets: [aRemoteSecret(EAST, GONE, { owner })],
      readerSecrets: [aReaderSecret(GONE, { owner })],
    };
    expect(departedFrom([aMember(EAST, state)])).toEqual([]);
  });

  it("does not know which cluster it was when no annotation says so", () => {
    const secret = aRemoteSecret(EAST, GONE, { targetResource: undefined, targetGkeId: undefined });
    expect(departedFrom([aMember(EAST, { remoteSecrets: [secret] })])).toEqual([
      { clusterId: DEPARTED.clusterId, gkeId: "", ref: undefined },
    ]);
  });
});

describe("judgeAbsence", () => {
  const having = (seed: Partial<Cluster>): Cluster => ({ ...GONE, ...seed });
  it.each<[Absence["certainty"], string, Answer, boolean]>([
    ["proved", "is not there", "absent", true],
    ["proved", "is not there, though no list says so", "absent", false],
    ["proved", "is being deleted", having({ status: "STOPPING" }), true],
    ["proved", "has a successor of its name", having({ id: "another" }), true],
    ["assumed", "lost its label", having({ labels: {} }), true],
    ["assumed", "has the label of another mesh", having({ labels: { mesh_id: "staging" } }), true],
    ["assumed", "is called failed", having({ status: "ERROR" }), true],
    ["assumed", "is not listed, and GKE does not answer more", "silent", true],
    ["open", "is not listed because its location is missing", "silent", false],
    ["open", "may not be read, though a list is without it", "refused", true],
    ["open", "may not be read", "refused", false],
    ["open", "is a member that the list did not hold", GONE, true],
  ])("is %s for one that %s", (certainty, _, answer, listedWithout) => {
    expect(judgeAbsence(DEPARTED, { answer, listedWithout }, aSpec())).toMatchObject({ certainty });
  });

  it("assumes it of a cluster whose project is not configured any more", () => {
    const spec = aSpec({ projects: ["retail"] });
    const evidence = { answer: "silent", listedWithout: false } as const;
    expect(judgeAbsence(DEPARTED, evidence, spec)).toMatchObject({ certainty: "assumed" });
  });

  it("leaves it open of a cluster that nothing tells of", () => {
    const unknown = { ...DEPARTED, ref: undefined };
    expect(judgeAbsence(unknown, { answer: "absent", listedWithout: true }, aSpec())).toMatchObject({
      certainty: "open",
    });
  });
});
