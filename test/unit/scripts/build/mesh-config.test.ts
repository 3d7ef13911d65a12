import { describe, expect, it } from "@jest/globals";
import {
  type MeshConfigSchema,
  meshConfigSchema,
  readMeshConfigSchema,
  unknownMeshKeys,
} from "../../../../scripts/build/manifest/mesh-config.ts";

const schema: MeshConfigSchema = await readMeshConfigSchema();

function unknownOf(mesh: string): string[] {
  return unknownMeshKeys(
    [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio" }, data: { mesh } }],
    schema,
  );
}

describe("a key of the mesh configuration", () => {
  it.each([
    ["defaultTraficPolicy: {}", "meshConfig.defaultTraficPolicy", "defaultTrafficPolicy"],
    [
      "defaultTrafficPolicy: { outlierDetection: { consecutive5xxErrorz: 5 } }",
      "meshConfig.defaultTrafficPolicy.outlierDetection.consecutive5xxErrorz",
      "consecutive5xxErrors",
    ],
    ["defaultConfig: { meshID: m }", "meshConfig.defaultConfig.meshID", "meshId"],
    ["defaultConfig: { proxyMetaData: { A: b } }", "meshConfig.defaultConfig.proxyMetaData", "proxyMetadata"],
    [
      "extensionProviders: [{ name: a, zipkin: { servise: z } }]",
      "meshConfig.extensionProviders[0].zipkin.servise",
      "service",
    ],
    ["trustDomainAlias: [a]", "meshConfig.trustDomainAlias", "trustDomainAliases"],
  ])("that is misspelt is named with the one that was meant: %s", (mesh, path, meant) => {
    expect(unknownOf(mesh)).toEqual([`${path} is no key that istiod knows: did you mean ${meant}?`]);
  });

  it("that is like none is to go", () => {
    expect(unknownOf("zzz: 1")).toEqual(["meshConfig.zzz is no key that istiod knows: remove it"]);
  });

  it("is named as often as there are such keys", () => {
    expect(unknownOf("{ zzz: 1, defaultConfig: { yyy: 1, tracing: { xxx: 1 } } }")).toHaveLength(3);
  });

  it.each([
    "",
    "accessLogFile: ''",
    "access_log_file: ''",
    "defaultConfig: { proxyMetadata: { ANY_THING: x }, holdApplicationUntilProxyStarts: true, tracing: { sampling: 1 } }",
    "defaultProviders: { metrics: [prometheus] }",
    "extensionProviders: [{ name: a, envoyFileAccessLog: { path: /dev/stdout, logFormat: { labels: { any: thing } } } }]",
    "defaultConfig: { proxyStatsMatcher: { inclusionRegexps: [a] }, image: { imageType: debug } }",
    "localityLbSetting: { distribute: [{ from: a/*, to: { 'b/*': 100 } }] }",
    "connectTimeout: 10s",
    "enableAutoMtls: true",
    "meshMTLS: { minProtocolVersion: TLSV1_3 }",
    "caCertificates: [{ pem: x }]",
    "discoverySelectors: [{ matchLabels: { any: thing } }]",
  ])("that istiod knows is let pass: %s", (mesh) => {
    expect(unknownOf(mesh)).toEqual([]);
  });

  it("of a message that no file has stops the making of the schema", () => {
    const file = "package istio.mesh.v1alpha1; message MeshConfig { Elsewhere place = 1; }";
    expect(() => meshConfigSchema([file])).toThrow(
      "istio.mesh.v1alpha1.MeshConfig holds a Elsewhere: add its file to PROTO_FILES",
    );
    expect(() => meshConfigSchema([])).toThrow("istio.mesh.v1alpha1.MeshConfig is in none of the files");
  });
});
