import { describe, expect, it } from "@jest/globals";
import { type MemberNetworks, networksSeen, withLastNetworks } from "../../../shared/core/member/networks.ts";
import type { NamespaceState, Reachable } from "../../../shared/core/member/observation.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import {
  aMember,
  anUnreachableMember,
  aReaderSecret,
  aRemoteSecret,
  NOW,
  ownControlPlane,
} from "../../support/builders/member.ts";

const VPC = "shop.default";
const LABELLED = aCluster({ name: "m", labels: { mesh_id: "prod", mesh_network: "edge" } });
const PEER = aCluster({ name: "peer" });

function aNamespace(seed: Partial<NamespaceState>): NamespaceState {
  return { owner: "ours", network: VPC, terminating: false, acceptedCacerts: undefined, ...seed };
}

const FOREIGN = ownControlPlane({
  owner: "foreign",
  identity: { meshId: "prod", clusterId: "m", network: "theirs", trustDomain: "cluster.local" },
});
const CHANGED = aNamespace({ network: "edge", changedTo: "edge", formerNetwork: VPC });
const IN_EDGE = ownControlPlane({ network: "edge" });

describe("the networks of a cluster whose label names another one", () => {
  it.each<[string, Partial<Reachable>, MemberNetworks]>([
    ["are istiod's", {}, { network: VPC }],
    [
      "are the VPC's where istiod's note is none",
      { controlPlane: ownControlPlane({ network: "*x" }) },
      { network: VPC },
    ],
    ["are the label's before istiod is there", { controlPlane: undefined }, { network: "edge" }],
    [
      "do not follow a namespace that a person has labelled",
      { namespace: aNamespace({ network: "edge" }) },
      { network: VPC },
    ],
    [
      "do not follow the notes of a namespace that is not Meshjoin's",
      { namespace: { ...CHANGED, owner: "foreign" } },
      { network: VPC },
    ],
    [
      "have the next one once that is confirmed",
      { namespace: aNamespace({ nextNetwork: "edge" }) },
      { network: VPC, nextNetwork: "edge" },
    ],
    [
      "have no next one that the label names no more",
      { namespace: aNamespace({ nextNetwork: "core" }) },
      { network: VPC },
    ],
    [
      "are those on record from the change on, whatever istiod has",
      { namespace: CHANGED },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one while nobody has looked for its pods",
      { namespace: CHANGED, controlPlane: IN_EDGE },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one while pods are there",
      {
        namespace: CHANGED,
        controlPlane: IN_EDGE,
        podsElsewhere: [{ namespace: "shop", workload: "deployment/web", pods: 1 }],
      },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one while the pods may not be listed",
      {
        namespace: CHANGED,
        controlPlane: IN_EDGE,
        podsElsewhere: { unread: { code: "Forbidden", message: "no", retryable: false } },
      },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one while istiod may still label new pods with it",
      { namespace: CHANGED, controlPlane: { ...IN_EDGE, rolledOut: false }, podsElsewhere: [] },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have no former one when no pod is there",
      { namespace: CHANGED, controlPlane: IN_EDGE, podsElsewhere: [] },
      { network: "edge" },
    ],
    [
      "have the former one that istiod notes, where the namespace's note is nonsense",
      {
        namespace: { ...CHANGED, formerNetwork: "*x" },
        controlPlane: { ...IN_EDGE, formerNetwork: VPC },
      },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one that istiod is in, where the namespace's note is gone",
      { namespace: { ...CHANGED, formerNetwork: undefined } },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one, where the note of the change is nonsense",
      { namespace: { ...CHANGED, changedTo: "*x" }, controlPlane: IN_EDGE },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "have the former one that a namespace notes which is Meshjoin's no more",
      { namespace: { ...CHANGED, owner: "foreign" }, controlPlane: IN_EDGE },
      { network: "edge", formerNetwork: VPC },
    ],
    [
      "are the label's with a foreign istiod that is no pair with any",
      { controlPlane: FOREIGN },
      { network: "edge" },
    ],
    [
      "are the label's with a foreign istiod whose network is no name that a member's may have",
      {
        controlPlane: ownControlPlane({
          owner: "foreign",
          identity: { meshId: "prod", clusterId: "m", network: "*x", trustDomain: "cluster.local" },
        }),
        readerSecrets: [aReaderSecret(PEER)],
      },
      { network: "edge" },
    ],
    [
      "are those of a foreign istiod that is paired",
      { controlPlane: FOREIGN, readerSecrets: [aReaderSecret(PEER)] },
      { network: "theirs" },
    ],
  ])("%s", (_, seen, expected) => {
    expect(networksSeen(aMember(LABELLED, seen).state, LABELLED)).toEqual(expected);
  });
});

describe("a member that does not answer", () => {
  const silent = { ...anUnreachableMember(LABELLED), network: "edge" };
  const noted = (targetNetwork: string | undefined, seed: object = {}) =>
    aMember(PEER, { remoteSecrets: [aRemoteSecret(PEER, LABELLED, { targetNetwork, ...seed })] });

  it.each<[string, Parameters<typeof withLastNetworks>[0], string]>([
    ["as its readers noted it", [silent, noted(VPC)], VPC],
    ["as its label names it, where none noted it", [silent, noted(undefined)], "edge"],
    [
      "as its label names it, where a note is of an earlier cluster of the name",
      [silent, noted(VPC, { targetGkeId: "other" })],
      "edge",
    ],
    [
      "by the newest note",
      [silent, noted("core"), noted(VPC, { tokenIssuedAt: new Date(NOW.getTime() + 1000) })],
      VPC,
    ],
  ])("counts in the network %s", (_, members, network) => {
    expect(withLastNetworks(members)[0]).toMatchObject({ network });
  });

  it("counts in the network that an earlier look of the run saw", () => {
    expect(withLastNetworks([silent, noted("core")], [aMember(LABELLED)])[0]).toMatchObject({ network: VPC });
  });
});
