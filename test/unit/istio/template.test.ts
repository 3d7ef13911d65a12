import { describe, expect, it } from "@jest/globals";
import { manifestHash } from "../../../shared/istio/control-plane.ts";
import {
  fillManifest,
  type ManifestTemplate,
  manifestValues,
  PLACEHOLDERS,
  parseTemplate,
} from "../../../shared/istio/template.ts";
import { aSpec } from "../../support/builders/spec.ts";

const VALUES = {
  meshId: "prod",
  clusterId: "cn-a-b-c",
  network: "a.default",
  workloadTtl: 86_400,
  hub: "docker.io/istio",
  dnsCapture: true,
};

const TEMPLATE: ManifestTemplate = {
  release: "1.31.4",
  tag: "1.31.4-distroless",
  hub: "docker.io/istio",
  digest: "d",
  objects: [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio" },
      data: {
        mesh: `meshId: ${PLACEHOLDERS.meshId}\nISTIO_META_DNS_CAPTURE: ${PLACEHOLDERS.dnsCapture}\ntrustDomain: cluster.local`,
        values: JSON.stringify({
          capture: PLACEHOLDERS.dnsCapture,
          clusterName: PLACEHOLDERS.clusterId,
          network: PLACEHOLDERS.network,
          pdb: true,
        }),
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "istiod" },
      env: [PLACEHOLDERS.workloadTtl, PLACEHOLDERS.dnsCapture, 3, null],
    },
  ],
};

describe("fillManifest", () => {
  it("puts a member's values in the place of the placeholders, inside texts too", () => {
    expect(fillManifest(TEMPLATE, VALUES)).toEqual([
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "istio" },
        data: {
          mesh: 'meshId: prod\nISTIO_META_DNS_CAPTURE: "true"\ntrustDomain: cluster.local',
          values: '{"capture":"true","clusterName":"cn-a-b-c","network":"a.default","pdb":true}',
        },
      },
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "istiod" },
        env: ["24h", "true", 3, null],
      },
    ]);
  });

  it("leaves the template as it was", () => {
    const before = JSON.stringify(TEMPLATE);
    fillManifest(TEMPLATE, VALUES);
    expect(JSON.stringify(TEMPLATE)).toBe(before);
  });

  it.each(["", "a b", 'a"', "a: b", "#a", "a\n", "-a"])("refuses %j, which would need quotes", (meshId) => {
    expect(() => fillManifest(TEMPLATE, { ...VALUES, meshId })).toThrow(/meshId .* use a plain name/);
  });

  it.each(["", "docker.io", "istio", "https://docker.io/istio", "docker.io/istio/", "docker.io/istio:1"])(
    "refuses %j, which is no hub",
    (hub) => {
      expect(() => fillManifest(TEMPLATE, { ...VALUES, hub })).toThrow(/hub .* cannot stand in a manifest/);
    },
  );
});

describe("manifestValues", () => {
  const of = { clusterId: "cn-a-b-c", network: "a.default" };

  it("takes the hub of the release, unless the mesh has one of its own", () => {
    expect(manifestValues(TEMPLATE, aSpec(), of).hub).toBe("docker.io/istio");
    expect(manifestValues(TEMPLATE, aSpec({ istioHub: "mirror.example/istio" }), of).hub).toBe(
      "mirror.example/istio",
    );
  });

  it("makes another hub, and DNS capture, another manifest", () => {
    const specs = [aSpec(), aSpec({ istioHub: "mirror.example/istio" }), aSpec({ dnsCapture: "on" })];
    const hashes = specs.map((spec) => manifestHash(TEMPLATE, manifestValues(TEMPLATE, spec, of)));
    expect(new Set(hashes).size).toBe(specs.length);
  });
});

describe("parseTemplate", () => {
  it("reads what the build wrote", () => {
    const { release, tag, hub, digest, objects } = TEMPLATE;
    const json = JSON.stringify({
      pin: { release, hub, tag },
      renderer: "snapshot",
      digest,
      objects,
    });
    expect(parseTemplate(json)).toEqual(TEMPLATE);
  });

  it.each([
    "{}",
    "null",
    '{"pin":{},"digest":"d","objects":[]}',
    '{"pin":{"release":"1"},"digest":"d","objects":[]}',
    '{"pin":{"release":"1","tag":"1"},"digest":"d"}',
  ])("refuses %s", (json) => {
    expect(() => parseTemplate(json)).toThrow(
      expect.objectContaining({ code: "ManifestInvalid", cure: "build the bundle again" }),
    );
  });
});
