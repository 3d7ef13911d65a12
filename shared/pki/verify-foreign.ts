import { decode } from "./asn1.ts";
import { certificatePem } from "./bundle.ts";
import type { Certificate } from "./certificate.ts";
import { type CacertsFault, cacertsFault } from "./fault.ts";
import { verifyPath } from "./path.ts";
import { derOfBlock, findPemBlocks } from "./pem.ts";
import { isSignedBy } from "./signature.ts";
import { type CacertsFiles, readBundle, verifyNesting, verifySet } from "./verify.ts";

/** A foreign `cacerts`. In a file of several certificates the first is the intermediate. */
export interface ForeignFiles extends CacertsFiles {
  /** Of the root file, for messages. */
  readonly trustBundleName: string;
  /** CRLs; empty where istiod reads none. */
  readonly revocationLists: string;
}

/** `loading`: why istiod would not start with it. `trust`: why it and the mesh would not trust each other. */
export interface ForeignFaults {
  readonly loading: readonly CacertsFault[];
  readonly trust: readonly CacertsFault[];
}

/**
 * Verifies a set against its own root file, as istiod does, and against the mesh's trust bundle, as the
 * peers' proxies do with the chain file. The intermediate may stand below sub-roots that are in that chain.
 */
export function verifyForeignCacerts(files: ForeignFiles, meshBundle: string, now: Date): ForeignFaults {
  const { trustBundle, trustBundleName } = files;
  const [intermediate] = readBundle(files.certificate) ?? [];
  const certificate = intermediate === undefined ? "" : certificatePem(intermediate.der);
  const subRoots = readBundle(files.chain) ?? [];
  const own = { name: trustBundleName, roots: readBundle(trustBundle) ?? [], subRoots };
  const mesh = { name: "the mesh", roots: readBundle(meshBundle) ?? [], subRoots };
  const loading = verifySet({ ...files, certificate }, own, now);
  const revocation = verifyRevocationLists(subRoots, files.revocationLists);
  const path = intermediate === undefined ? [] : verifyPath(intermediate, mesh, now);
  const nested = verifyNesting(trustBundle, meshBundle) === undefined;
  return {
    loading: revocation === undefined ? loading : [...loading, revocation],
    trust: nested
      ? path
      : [
          ...path,
          cacertsFault(
            "BundlesNotNested",
            `neither ${trustBundleName} nor the mesh's trust bundle contains the other`,
          ),
        ],
  };
}

/** Envoy wants a list for every CA of the chain or for none, and istiod does not start with fewer. */
function verifyRevocationLists(chain: readonly Certificate[], pem: string): CacertsFault | undefined {
  if (pem === "") return undefined;
  try {
    const lists = findPemBlocks(Buffer.from(pem)).map(derOfBlock);
    for (const list of lists) decode(list);
    return chain.every(({ publicKey }) => lists.some((list) => isSignedBy(list, publicKey)))
      ? undefined
      : cacertsFault("CrlMissing", "there are revocation lists, but not one of every CA of the chain");
  } catch {
    return cacertsFault("CrlMalformed", "the revocation lists are not X.509 CRLs in PEM");
  }
}
