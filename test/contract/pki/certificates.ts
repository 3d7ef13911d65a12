import type { KeyAlgorithm } from "../../../shared/core/spec.ts";
import { makeCsr } from "../../../shared/pki/csr.ts";
import { inProcessAuthority } from "../../../shared/pki/in-process-authority.ts";
import { privateKeyPem } from "../../../shared/pki/key.ts";
import { keysInPayloads } from "../../../shared/pki/root-keys.ts";
import { aCluster } from "../../support/builders/cluster.ts";
import { aSpec } from "../../support/builders/spec.ts";
import { fakeRootStore } from "../../support/fakes/root-store.ts";
import { aKeyPair, payloadOf, type RootFiles } from "../../support/pki/gen.ts";
import { withOpenssl } from "../../support/pki/openssl.ts";

/** A certificate and what it is judged by; PEM. */
export interface Subject {
  readonly root: string;
  /** From the certificate's issuer upwards, without the root. */
  readonly between: readonly string[];
  readonly certificate: string;
}

export function selfSigned({ certificate }: RootFiles): Subject {
  return { root: certificate, between: [], certificate };
}

/** As a member gets it: by a request, from the authority that reads the root out of its secret. */
export async function issuedTo(key: KeyAlgorithm, root: RootFiles): Promise<RootFiles> {
  const store = fakeRootStore();
  store.setAliases({ signing: store.addVersion(payloadOf(root)) });
  const clock = { now: () => new Date() };
  const authority = inProcessAuthority({
    keys: keysInPayloads,
    store,
    clock,
    spec: aSpec({ keyAlgorithm: key }),
  });
  const pair = await aKeyPair(key);
  const { ref } = aCluster({ name: "one" });
  const { certificate } = await authority.issue(await makeCsr(pair, "one"), ref);
  return { certificate, privateKey: privateKeyPem(pair.privateKey) };
}

/**
 * A workload's certificate with the content of istiod's, `GenCertTemplateFromCSR` of Istio's
 * `security/pkg/pki/util`: no subject, the SPIFFE identity critical.
 */
export function workloadOf(ca: RootFiles): string {
  return withOpenssl(({ run, write, read }) => {
    write("ca.pem", ca.certificate);
    write("ca-key.pem", ca.privateKey);
    write("empty.cnf", "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n");
    write(
      "workload.cnf",
      "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n" +
        "extendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=none\n" +
        "subjectAltName=critical,URI:spiffe://cluster.local/ns/shop/sa/cart\n",
    );
    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem");
    run("req", "-new", "-config", "empty.cnf", "-subj", "/", "-key", "key.pem", "-out", "csr.pem");
    const issuer = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
    run(
      "x509",
      "-req",
      "-in",
      "csr.pem",
      ...issuer,
      "-days",
      "1",
      "-extfile",
      "workload.cnf",
      "-out",
      "w.pem",
    );
    return read("w.pem");
  });
}
