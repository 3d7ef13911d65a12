import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { ensureBinaries } from "../../../sandbox/binaries/build.ts";
import { type Manifest, renderObjects, renderTemplate } from "../../../scripts/build/manifest/render.ts";
import { type Pin, parsePin } from "../../../shared/istio/pin.ts";
import { fillManifest, manifestTexts, PLACEHOLDERS, parseTemplate } from "../../../shared/istio/template.ts";

const ISTIO = new URL("../../../shared/istio/", import.meta.url);
const BUILD_TIMEOUT_MS = 30 * 60_000;

let istioctl: string;
let pin: Pin;
let userYaml: string;
let manifest: Manifest;

beforeAll(async () => {
  pin = parsePin(await readFile(new URL("pin.json", ISTIO), "utf8"));
  userYaml = await readFile(new URL("values.yaml", ISTIO), "utf8");
  ({ istioctl } = await ensureBinaries((line) => process.stderr.write(`${line}\n`), pin.release));
  manifest = await renderTemplate({ istioctl, pin, userYaml });
}, BUILD_TIMEOUT_MS);

function objectOf(kind: string) {
  return manifest.objects.find((object) => object.kind === kind);
}

describe("the manifest template", () => {
  it.each([
    {
      meshId: "prod",
      clusterId: "cn-fleet-europe-west1-a",
      network: "fleet.default",
      workloadTtl: 86_400,
      hub: "docker.io/istio",
      dnsCapture: true,
    },
    {
      meshId: "x",
      clusterId: `cn-${"a".repeat(60)}`,
      network: "example.com_fleet.vpc-1",
      workloadTtl: 90 * 60,
      hub: "europe-west1-docker.pkg.dev/fleet/mirror/istio",
      dnsCapture: false,
    },
    {
      meshId: "e1",
      clusterId: "cn-0-1-2",
      network: "a1.n-0",
      workloadTtl: 3601,
      hub: "localhost:5000/a__b/c-1.2",
      dnsCapture: true,
    },
    {
      meshId: "off-site",
      clusterId: "cn-true",
      network: "null-project.true",
      workloadTtl: 61,
      hub: "10.0.0.1:443/1/2",
      dnsCapture: false,
    },
  ])("filled in for $meshId equals what istioctl renders for it", async (values) => {
    const rendered = await renderObjects(istioctl, pin, userYaml, manifestTexts(values));
    expect(fillManifest(parseTemplate(JSON.stringify(manifest)), values)).toEqual(rendered);
  });

  it("is the same bytes every time", async () => {
    const again = await renderTemplate({ istioctl, pin, userYaml });
    expect(JSON.stringify(again)).toBe(JSON.stringify(manifest));
  });

  it("begins with the CRDs", () => {
    const kinds = manifest.objects.map((object) => object.kind);
    const crds = kinds.filter((kind) => kind === "CustomResourceDefinition").length;
    expect(crds).toBeGreaterThan(10);
    expect(kinds.slice(0, crds)).toEqual(Array<string>(crds).fill("CustomResourceDefinition"));
  });

  it("installs a default validator and two istiods of the pinned image, of which one at a time may go", () => {
    expect(manifest.objects.map((object) => object.metadata.name)).toContain("istiod-default-validator");
    expect(objectOf("HorizontalPodAutoscaler")).toMatchObject({ spec: { minReplicas: 2, maxReplicas: 5 } });
    expect(objectOf("PodDisruptionBudget")).toMatchObject({
      metadata: { name: "istiod" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "istiod" } } },
    });
    expect(objectOf("Deployment")).toMatchObject({
      spec: { template: { spec: { containers: [{ image: `${PLACEHOLDERS.hub}/pilot:${pin.tag}` }] } } },
    });
  });

  it("lets roots rotate", () => {
    const text = JSON.stringify(objectOf("Deployment"));
    expect(text).toContain('{"name":"ISTIO_MULTIROOT_MESH","value":"true"}');
    const mesh = manifest.objects.find((object) => object.metadata.name === "istio");
    for (const setting of ['PROXY_CONFIG_XDS_AGENT: "true"', "SECRET_TTL: "]) {
      expect(mesh).toMatchObject({ data: { mesh: expect.stringContaining(setting) } });
    }
  });

  it.each([
    [
      "istioctl lays over the pinned image",
      "values: {global: {hub: example.com/istio}}",
      [/^ {2}the image of istiod is example\.com\/istio\/pilot:/],
    ],
    [
      "leaves one istiod, whatever replicas it asks for",
      "values: {pilot: {autoscaleEnabled: false, replicaCount: 3}}",
      [/^ {2}HorizontalPodAutoscaler istiod is missing/],
    ],
    [
      "breaks several promises at once",
      "meshConfig: {trustDomain: td1}\nvalues: {pilot: {env: {CLUSTER_ID: other}}, global: {operatorManageWebhooks: true}}",
      [/^ {2}MutatingWebhookConfiguration/, /^ {2}CLUSTER_ID of istiod is other and /, /^ {2}trustDomain/],
    ],
    [
      "names another revision",
      "values: {revision: canary}",
      [
        /^ {2}Deployment istiod is missing/,
        ...Array<RegExp>(5).fill(/ is missing: /),
        /^ {2}the list of Deployments beside istiod is /,
      ],
    ],
  ])("does not build with a value that %s", async (_, values, broken) => {
    const rendering = renderTemplate({ istioctl, pin, userYaml: values });
    const error = await rendering.then(
      () => "nothing was refused",
      (cause: unknown) => (cause instanceof Error ? cause.message : "something else was thrown"),
    );
    const [first, ...rest] = error.split("\n");
    expect(first).toBe("values.yaml breaks what a mesh stands on:");
    expect(rest).toEqual(broken.map((each) => expect.stringMatching(each)));
  });

  it.each([
    ["meshConfig: {accessLogFil: ''}", "accessLogFil", "accessLogFile"],
    ["values: {meshConfig: {defaultTraficPolicy: {}}}", "defaultTraficPolicy", "defaultTrafficPolicy"],
    ["meshConfig: {defaultConfig: {tracing: {samplin: 1}}}", "defaultConfig.tracing.samplin", "sampling"],
  ])("does not build with a key that istiod would ignore: %s", async (values, key, meant) => {
    await expect(renderTemplate({ istioctl, pin, userYaml: values })).rejects.toThrow(
      `meshConfig.${key} is no key that istiod knows: did you mean ${meant}?`,
    );
  });
});
