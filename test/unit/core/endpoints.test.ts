import { describe, expect, it } from "@jest/globals";
import type { ClusterEndpoints } from "../../../shared/core/cluster/cluster.ts";
import {
  type EndpointChoice,
  functionEndpoint,
  peerEndpoint,
} from "../../../shared/core/cluster/endpoints.ts";
import type { Access } from "../../../shared/core/spec.ts";
import { aCluster, allEndpoints } from "../../support/builders/cluster.ts";

const ALL = allEndpoints("east");

/** `D`: the DNS-based one is there and open, `d`: it is there but closed; `o`: public, `i`: private. */
function endpointsOf(word: string): ClusterEndpoints {
  const { dns, public: open, private: inner } = ALL;
  const allowed = word.includes("D");
  return {
    ...(/d/i.test(word) && dns
      ? { dns: { ...dns, allowsExternalTraffic: allowed, allowsKubernetesTokens: allowed } }
      : {}),
    ...(word.includes("o") && open ? { public: open } : {}),
    ...(word.includes("i") && inner ? { private: inner } : {}),
  };
}

function said(choice: EndpointChoice): string {
  return "endpoint" in choice ? choice.endpoint.kind : choice.finding.reason;
}

const NONE = "EndpointNotAvailable";
type Row = readonly [access: Access, has: string, expected: string];

const COMMON: readonly Row[] = [
  ["auto", "Doi", "dns"],
  ["auto", "Di", "dns"],
  ["auto", "Do", "dns"],
  ["auto", "D", "dns"],
  ["auto", "doi", "public"],
  ["auto", "do", "public"],
  ["auto", "oi", "public"],
  ["auto", "o", "public"],
  ["auto", "di", "private"],
  ["auto", "i", "private"],
  ["auto", "d", NONE],
  ["auto", "", NONE],
  ["public", "Doi", "public"],
  ["public", "Di", NONE],
  ["public", "", NONE],
  ["private", "Doi", "private"],
  ["private", "Do", NONE],
  ["private", "", NONE],
  ["dns", "Doi", "dns"],
  ["dns", "oi", NONE],
  ["dns", "", NONE],
];

describe("the address by which Meshjoin reaches an API server", () => {
  it.each<Row>([...COMMON, ["dns", "doi", "dns"], ["dns", "d", "dns"]])(
    "with %s and endpoints %j: %s",
    (access, has, expected) => {
      expect(said(functionEndpoint(aCluster({ endpoints: endpointsOf(has) }), access, "id"))).toBe(expected);
    },
  );
});

describe("the address in remote secrets", () => {
  it.each<Row>([...COMMON, ["dns", "doi", "DnsTokensNotAllowed"], ["dns", "d", "DnsTokensNotAllowed"]])(
    "with %s and endpoints %j: %s",
    (access, has, expected) => {
      expect(said(peerEndpoint(aCluster({ endpoints: endpointsOf(has) }), access, "id"))).toBe(expected);
    },
  );

  it("is the endpoint as GKE describes it", () => {
    expect(peerEndpoint(aCluster({ endpoints: ALL }), "private", "id")).toEqual({ endpoint: ALL.private });
  });

  it("has a cure that can be pasted where there is none", () => {
    const choice = peerEndpoint(aCluster({ endpoints: endpointsOf("d") }), "dns", "id");
    expect(choice).toMatchObject({
      finding: {
        clusterId: "id",
        severity: "error",
        cure: expect.stringContaining(
          "gcloud container clusters update east --project=shop --location=europe-west1 --enable-k8s-tokens-via-dns",
        ),
      },
    });
  });
});

describe("the two settings", () => {
  it("never take peers to an endpoint without user traffic, also where it is the only one", () => {
    const { dns } = ALL;
    if (dns === undefined) throw new Error("no DNS-based endpoint");
    const closed = { ...dns, allowsExternalTraffic: false, allowsKubernetesTokens: true };
    expect(said(peerEndpoint(aCluster({ endpoints: { dns: closed } }), "auto", "id"))).toBe(NONE);
    const { private: inner } = ALL;
    if (inner === undefined) throw new Error("no private endpoint");
    const inside = aCluster({ endpoints: { dns: closed, private: inner } });
    expect(said(peerEndpoint(inside, "auto", "id"))).toBe("private");
  });

  it("look at different permissions of the DNS-based endpoint", () => {
    const { dns } = ALL;
    if (dns === undefined) throw new Error("no DNS-based endpoint");
    const inside = aCluster({ endpoints: { ...ALL, dns: { ...dns, allowsExternalTraffic: false } } });
    expect(said(functionEndpoint(inside, "auto", "id"))).toBe("public");
    expect(said(peerEndpoint(inside, "auto", "id"))).toBe("public");
    const tokenless = aCluster({ endpoints: { ...ALL, dns: { ...dns, allowsKubernetesTokens: false } } });
    expect(said(functionEndpoint(tokenless, "auto", "id"))).toBe("dns");
    expect(said(peerEndpoint(tokenless, "auto", "id"))).toBe("public");
  });
});
