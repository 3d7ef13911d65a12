import { describe, expect, it } from "@jest/globals";
import {
  fillManifest,
  type ManifestTemplate,
  PLACEHOLDERS,
  parseTemplate,
} from "../../../shared/istio/template.ts";

const VALUES = { meshId: "prod", clusterId: "cn-a-b-c", network: "a.default", workloadTtl: 86_400 };

const TEMPLATE: ManifestTemplate = {
  release: "1.31.4",
  tag: "1.31.4-distroless",
  digest: "d",
  objects: [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio" },
      data: {
        mesh: `meshId: ${PLACEHOLDERS.meshId}\ntrustDomain: cluster.local`,
        values: JSON.stringify({
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
      env: [PLACEHOLDERS.workloadTtl, 3, null],
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
          mesh: "meshId: prod\ntrustDomain: cluster.local",
          values: '{"clusterName":"cn-a-b-c","network":"a.default","pdb":true}',
        },
      },
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "istiod" }, env: ["24h", 3, null] },
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
});

describe("parseTemplate", () => {
  it("reads what the build wrote", () => {
    const { release, tag, digest, objects } = TEMPLATE;
    const json = JSON.stringify({
      pin: { release, hub: "h", tag },
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
    expect(() => parseTemplate(json)).toThrow(/build the bundle again/);
  });
});
