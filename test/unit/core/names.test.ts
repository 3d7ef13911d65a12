import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { ClusterRef } from "../../../shared/core/cluster/cluster.ts";
import {
  clusterId,
  clusterResource,
  lastGatewayName,
  networkName,
  parseClusterResource,
  readerSecretName,
  remoteSecretName,
} from "../../../shared/core/names.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What GKE, Resource Manager and Compute Engine allow, domain-scoped projects included. */
const project = fc
  .tuple(
    fc.option(fc.constantFrom("example.com:", "a.b:"), { nil: "" }),
    fc.stringMatching(/^[a-z][-a-z0-9]{4,27}[a-z0-9]$/),
  )
  .map(([domain, id]) => domain + id);
const region = fc.constantFrom("europe-west1", "europe-west10", "us-east1", "northamerica-northeast2");
const location = fc.oneof(
  region,
  fc.tuple(region, fc.constantFrom("a", "b", "f")).map((parts) => parts.join("-")),
);
const name = fc.oneof(
  fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
  fc.constantFrom("a", "a-a", "b-a", "a-b", "x"),
);
const ref: fc.Arbitrary<ClusterRef> = fc.record({ project, location, name });
const places: fc.Arbitrary<ClusterRef> = fc.record({
  project: fc.constantFrom("shop", "shop-eu", "a.b:shop", "a-b:shop", "a-b-shop"),
  location,
  name,
});

describe("the name of a last known gateway", () => {
  it("is one that a label can hold, and no two clusters' is the same", () => {
    fc.assert(
      fc.property(ref, ref, (one, other) => {
        const [a, b] = [clusterId(one), clusterId(other)];
        expect(lastGatewayName(a)).toMatch(DNS_LABEL);
        expect(lastGatewayName(a) === lastGatewayName(b)).toBe(a === b);
      }),
    );
  });
});

describe("clusterId", () => {
  it.each<[string, ClusterRef, string]>([
    [
      "project, location and name",
      { project: "shop", location: "europe-west1", name: "east" },
      "cn-shop-europe-west1-east",
    ],
    [
      "a zone like a region",
      { project: "shop", location: "europe-west1-b", name: "east" },
      "cn-shop-europe-west1-b-east",
    ],
    [
      "a hash where a name could be read as a zone's letter",
      { project: "shop", location: "europe-west1", name: "b-east" },
      "cn-shop-europe-west1-b-east-994bd3c86e",
    ],
    [
      "a hash where the project holds what no label may",
      { project: "example.com:shop", location: "europe-west1", name: "east" },
      "cn-example-com-shop-europe-west1-east-b728a5e796",
    ],
    [
      "63 characters as they are",
      { project: "p".repeat(30), location: "europe-west1", name: "n".repeat(16) },
      `cn-${"p".repeat(30)}-europe-west1-${"n".repeat(16)}`,
    ],
    [
      "a hash in place of what is over 63",
      { project: "p".repeat(30), location: "europe-west1", name: "n".repeat(17) },
      `cn-${"p".repeat(30)}-europe-west1-nnnnn-c0f55ce3bd`,
    ],
  ])("is %s", (_, given, expected) => {
    expect(clusterId(given)).toBe(expected);
  });

  it("is a DNS label for every cluster that can exist", () => {
    fc.assert(fc.property(ref, (given) => DNS_LABEL.test(clusterId(given))));
  });

  it("is another one for every other cluster, and the same for the same", () => {
    fc.assert(
      fc.property(places, places, (a, b) => {
        const same = clusterResource(a) === clusterResource(b);
        return (clusterId(a) === clusterId(b)) === same;
      }),
      { numRuns: 3000 },
    );
  });

  it("leaves room for what it is a part of: names of Secrets are at most 253 characters", () => {
    fc.assert(
      fc.property(ref, (given) =>
        [remoteSecretName, readerSecretName].every((make) => make(clusterId(given)).length <= 253),
      ),
    );
  });
});

describe("parseClusterResource", () => {
  it.each(["locations", "zones", "regions"])("reads the form with %s", (word) => {
    expect(parseClusterResource(`projects/shop/${word}/europe-west1/clusters/east`)).toEqual({
      project: "shop",
      location: "europe-west1",
      name: "east",
    });
  });

  it.each([
    "",
    "east",
    "projects/shop/locations/europe-west1",
    "projects/shop/locations/europe-west1/clusters/",
    "projects/shop/locations/europe-west1/clusters/east/nodePools/default",
    "/projects/shop/locations/europe-west1/clusters/east",
    "//container.googleapis.com/projects/shop/locations/europe-west1/clusters/east",
    "projects/shop/places/europe-west1/clusters/east",
    "projects//locations/europe-west1/clusters/east",
    "projects/shop/locations/../clusters/east",
    "projects/shop/locations/europe-west1/clusters/east?alt=media",
    "projects/shop/locations/europe-west1/clusters/$(curl a.example)",
    "projects/a;b/locations/europe-west1/clusters/east",
    "projects/shop/locations/europe-west1/clusters/east\n",
  ])("reads nothing in %j", (text) => {
    expect(parseClusterResource(text)).toBeUndefined();
  });

  it("reads what clusterResource writes", () => {
    fc.assert(
      fc.property(ref, (given) => {
        expect(parseClusterResource(clusterResource(given))).toEqual(given);
      }),
    );
  });
});

describe("networkName", () => {
  it("tells networks of one name in two projects apart", () => {
    expect(networkName({ project: "shop", name: "default" })).toBe("shop.default");
    expect(networkName({ project: "host", name: "default" })).toBe("host.default");
  });

  const vpc = fc.record({ project, name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/) });

  it("is a label value for every VPC that can exist", () => {
    fc.assert(fc.property(vpc, (given) => /^[a-z0-9]([-_.a-z0-9]{0,61}[a-z0-9])?$/.test(networkName(given))));
  });

  it("is another one for every other VPC", () => {
    fc.assert(
      fc.property(vpc, vpc, (a, b) => {
        const same = a.project === b.project && a.name === b.name;
        return (networkName(a) === networkName(b)) === same;
      }),
    );
  });
});
