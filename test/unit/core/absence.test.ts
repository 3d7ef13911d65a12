import { describe, expect, it } from "@jest/globals";
import type { Cluster } from "../../../shared/core/cluster/cluster.ts";
import {
  type Absence,
  departedFrom,
  judgeAbsence,
  type SourceAnswer,
} from "../../../shared/core/member/absence.ts";
import { clusterId, clusterResource } from "../../../shared/core/names.ts";
import type { MeshSpec } from "../../../shared/core/spec.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  aPairedFleet,
  aReaderSecret,
  aRemoteSecret,
} from "../../support/builders/member.ts";
import { aSpec } from "../../support/builders/spec.ts";

const EAST = aCluster({ name: "east" });
const WEST = aCluster({ name: "west" });
const GONE = aCluster({ name: "gone" });
const DEPARTED = { clusterId: clusterId(GONE.ref), ref: GONE.ref };

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

  it("does not take the word of a Secret that names another cluster", () => {
    const edited = aReaderSecret(GONE, { readerResource: clusterResource({ ...GONE.ref, name: "other" }) });
    const east = aMember(EAST, { readerSecrets: [edited] });
    const secret = { ref: EAST.ref, name: edited.name };
    expect(departedFrom([east])).toEqual([
      { clusterId: DEPARTED.clusterId, ref: undefined, secrets: [secret] },
    ]);
    const west = aMember(WEST, { remoteSecrets: [aRemoteSecret(WEST, GONE)] });
    for (const members of [
      [east, west],
      [west, east],
    ]) {
      expect(departedFrom(members)).toEqual([DEPARTED]);
    }
  });

  it("does not know which cluster it was when no annotation says so", () => {
    const secret = aRemoteSecret(EAST, GONE, { targetResource: undefined, targetGkeId: undefined });
    expect(departedFrom([aMember(EAST, { remoteSecrets: [secret] })])).toEqual([
      { clusterId: DEPARTED.clusterId, ref: undefined, secrets: [{ ref: EAST.ref, name: secret.name }] },
    ]);
  });
});

describe("judgeAbsence", () => {
  const GONE_FOR_GOOD: SourceAnswer = { gone: { why: "it is deleted", runsOn: false } };
  const REFUSED: SourceAnswer = { refused: { message: "permission p is missing", cure: "grant it" } };
  const having = (seed: Partial<Cluster>): Cluster => ({ ...GONE, ...seed });
  it.each<[Absence["certainty"], string, SourceAnswer]>([
    ["proved", "is not there", GONE_FOR_GOOD],
    ["proved", "is being deleted", having({ status: "STOPPING" })],
    [
      "proved",
      "has a successor of its name that is being deleted",
      having({ id: "another", status: "STOPPING" }),
    ],
    ["assumed", "has a successor of its name without the label", having({ id: "another", labels: {} })],
    ["open", "has a successor of its name that is a member", having({ id: "another" })],
    ["open", "has a successor that is still being made", having({ id: "another", status: "PROVISIONING" })],
    ["assumed", "lost its label", having({ labels: {} })],
    ["assumed", "has the label of another mesh", having({ labels: { mesh_id: "staging" } })],
    ["open", "is called failed", having({ status: "ERROR" })],
    ["open", "has a status of a later API", having({ status: "STATUS_UNSPECIFIED" })],
    ["open", "is still being made", having({ status: "PROVISIONING" })],
    ["open", "GKE does not speak of now", "silent"],
    ["open", "may not be read", REFUSED],
    ["open", "is a member that the list did not hold", GONE],
  ])("is %s for one that %s", (certainty, _, answer) => {
    const runsOn = certainty === "assumed";
    expect(judgeAbsence(DEPARTED, answer, aSpec())).toMatchObject({ certainty, runsOn });
  });

  it.each<[Absence["certainty"], string, SourceAnswer, Partial<MeshSpec>]>([
    ["notConfigured", "of a project that is left out, which may not be read", REFUSED, { projects: ["zoo"] }],
    ["notConfigured", "of a project that is left out and still there", GONE, { projects: ["zoo"] }],
    ["notConfigured", "whom the allow-list leaves out", GONE, { allow: ["east*"] }],
    ["proved", "of a project that is left out, and deleted", GONE_FOR_GOOD, { projects: ["zoo"] }],
    [
      "assumed",
      "whom the allow-list leaves out, without its label",
      having({ labels: {} }),
      { allow: ["x"] },
    ],
    ["open", "of a project that is left out, while GKE is silent", "silent", { projects: ["zoo"] }],
  ])("is %s for one %s", (certainty, _, answer, spec) => {
    const runsOn = certainty === "assumed" || certainty === "notConfigured";
    expect(judgeAbsence(DEPARTED, answer, aSpec(spec))).toMatchObject({ certainty, runsOn });
  });

  it("says how each open question is settled", () => {
    for (const answer of ["silent", REFUSED, having({ status: "ERROR" }), GONE] as const) {
      expect(judgeAbsence(DEPARTED, answer, aSpec()).cure).toMatch(/\w/);
    }
  });

  it.each(["ERROR", "STATUS_UNSPECIFIED"] as const)(
    "gives the command that shows the cluster in status %s",
    (status) => {
      expect(judgeAbsence(DEPARTED, having({ status }), aSpec()).cure).toMatch(
        /gcloud container clusters describe \S+ --project=\S+ --location=\S+$/,
      );
    },
  );

  it("leaves it to the source whether one that it has no more may run on", () => {
    const gone = { why: "nobody names it any more", runsOn: true };
    expect(judgeAbsence(DEPARTED, { gone }, aSpec())).toEqual({ certainty: "proved", ...gone });
  });

  it("says in the source's own words why a cluster may not be read", () => {
    expect(judgeAbsence(DEPARTED, REFUSED, aSpec())).toMatchObject({
      why: expect.stringContaining("permission p is missing"),
      cure: "grant it",
    });
  });

  it("leaves it open of a cluster that nothing tells of", () => {
    const [departed] = departedFrom([
      aMember(EAST, {
        remoteSecrets: [aRemoteSecret(EAST, GONE, { targetResource: undefined, targetGkeId: undefined })],
        readerSecrets: [{ ...aReaderSecret(GONE), readerResource: undefined }],
      }),
      aMember(WEST, {
        remoteSecrets: [aRemoteSecret(WEST, GONE, { targetResource: undefined, targetGkeId: undefined })],
      }),
    ]);
    const id = DEPARTED.clusterId;
    const onMember = (name: string) =>
      `kubectl --context gke_shop_europe-west1_${name} -n istio-system delete secret`;
    expect(judgeAbsence(departed!, GONE_FOR_GOOD, aSpec())).toMatchObject({
      certainty: "open",
      cure:
        `if it is gone for good, delete what names it: ${onMember("east")} istio-remote-secret-${id} meshjoin-reader-${id}; and: ` +
        `${onMember("west")} istio-remote-secret-${id}`,
    });
  });

  it.each(["x; curl https://a", "$(curl https://a)", "--all", "x\ny", "x y", "'", ""])(
    "lets a person fill in a name that a shell or kubectl would take for something else: %j",
    (name) => {
      const unnamed = { targetResource: undefined, targetGkeId: undefined };
      const [departed] = departedFrom([
        aMember(EAST, { remoteSecrets: [{ ...aRemoteSecret(EAST, GONE, unnamed), name }] }),
      ]);
      expect(judgeAbsence(departed!, GONE_FOR_GOOD, aSpec()).cure).toBe(
        "if it is gone for good, delete what names it: kubectl --context gke_shop_europe-west1_east -n istio-system delete secret NAME",
      );
    },
  );
});
