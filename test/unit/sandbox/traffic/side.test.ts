import { expect, it } from "@jest/globals";
import { renderSide } from "../../../../sandbox/demo/rotation/live.ts";
import { readSent, readSide } from "../../../../sandbox/traffic/side.ts";
import { fingerprint, splitBundle } from "../../../../shared/pki/bundle.ts";
import { issueIntermediate } from "../../../../shared/pki/intermediate.ts";
import { makeKeyPair } from "../../../../shared/pki/key.ts";
import { makeRoot } from "../../../../shared/pki/make-root.ts";
import { readSigningRoot } from "../../../../shared/pki/root.ts";
import { keysInPayloads } from "../../../../shared/pki/root-keys.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

async function anIntermediate() {
  const root = await makeRoot({ now: NOW });
  const { publicKey } = await makeKeyPair("ec-p256");
  const signing = await readSigningRoot(
    Buffer.from(root.certificate + root.privateKey),
    "a root",
    keysInPayloads,
  );
  const options = { publicKey, clusterId: "c", now: NOW, ttl: 3600, clockSkew: 0 };
  return { root: root.certificate, intermediate: await issueIntermediate({ ...options, root: signing }) };
}

function aDump(chain: string, trusted: string): object {
  const inline = (pem: string) => ({ inline_bytes: Buffer.from(pem).toString("base64") });
  return {
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret",
        name: "default",
        secret: { name: "default", tls_certificate: { certificate_chain: inline(chain) } },
      },
      { name: "ROOTCA", secret: { name: "ROOTCA", validation_context: { trusted_ca: inline(trusted) } } },
    ],
  };
}

function nameOf(pem: string): string {
  return splitBundle(pem).map(fingerprint).join();
}

it("names the intermediate, its root among those that are trusted, and all of these", async () => {
  const [old, next, leaf] = await Promise.all([anIntermediate(), anIntermediate(), anIntermediate()]);
  const chain = leaf.intermediate + next.intermediate + next.root;
  expect(readSide(aDump(chain, old.root + next.root))).toEqual({
    leaf: nameOf(leaf.intermediate),
    intermediate: nameOf(next.intermediate),
    root: nameOf(next.root),
    trusted: [nameOf(old.root), nameOf(next.root)],
  });
});

it("knows no root of an intermediate that nobody here trusts", async () => {
  const [old, next] = await Promise.all([anIntermediate(), anIntermediate()]);
  const side = readSide(aDump(next.intermediate + next.intermediate, old.root));
  expect(side?.root).toBeUndefined();
  expect(renderSide("client", side)).toMatch(
    /^client: intermediate [0-9a-f]{8} of no trusted root, trusts [0-9a-f]{8}$/,
  );
});

it("answers nothing before Envoy has a certificate", () => {
  expect(readSide({ configs: [] })).toBeUndefined();
  expect(renderSide("client", undefined)).toBe("client: no certificate");
});

it("adds up what was sent to endpoints of services, and nothing else", () => {
  const clusters = [
    "xds-grpc::./etc/istio/proxy/XDS::cx_total::1",
    "outbound|80||hello.shop.svc.cluster.local::192.0.2.7:1::cx_total::12",
    "outbound|80||hello.shop.svc.cluster.local::192.0.2.7:1::rq_total::11",
    "outbound|80||hello.shop.svc.cluster.local::192.0.2.8:1::cx_total::3",
    "outbound|80||hello.shop.svc.cluster.local::192.0.2.8:1::rq_error::9",
  ].join("\n");
  expect(readSent(clusters)).toEqual({ requests: 11, connections: 15 });
});
