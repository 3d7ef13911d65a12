import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UnavailableError } from "../../../shared/errors.ts";
import type { Subject } from "./certificates.ts";
import { lint } from "./pkilint.ts";

/** `ok`, or why not. pkilint looks at the certificate alone, the others at its path too. */
export interface Verdicts {
  readonly openssl: string;
  readonly node: string;
  readonly go: string;
  readonly pkilint: string;
}

interface Files {
  readonly root: string;
  readonly between: string;
  /** openssl takes no file without a certificate in it. */
  readonly isBetweenEmpty: boolean;
  readonly certificate: string;
}

const VERIFIER = fileURLToPath(new URL("verifier/", import.meta.url));

const run = promisify(execFile);

/** All at once: to start a judge takes longer than its judgement. Fails where one of them cannot be had. */
export async function judge<Name>(
  subjects: ReadonlyMap<Name, Subject>,
): Promise<ReadonlyMap<Name, Verdicts>> {
  const directory = await mkdtemp(join(tmpdir(), "meshjoin-conformance-"));
  try {
    const files = await Promise.all(
      [...subjects.values()].map((subject, index) => write(join(directory, String(index)), subject)),
    );
    const openssl = await eachInTurn(files, byOpenssl);
    const go = await byGo(files);
    const findings = await lint(files.map(({ certificate }) => certificate));
    const isComplete = [openssl, go, findings].every(({ length }) => length === files.length);
    if (!isComplete) throw new Error("a judge has not answered for each certificate");
    return new Map(
      [...subjects].map(([name, subject], index) => [
        name,
        {
          openssl: openssl[index] ?? "",
          node: byNode(subject),
          go: go[index] ?? "",
          pkilint: findings[index]?.join(", ") || "ok",
        },
      ]),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function write(path: string, { root, between, certificate }: Subject): Promise<Files> {
  const files = {
    root: `${path}-root.pem`,
    between: `${path}-between.pem`,
    isBetweenEmpty: between.length === 0,
    certificate: `${path}-certificate.pem`,
  };
  await writeFile(files.root, root);
  await writeFile(files.between, between.join(""));
  await writeFile(files.certificate, certificate);
  return files;
}

async function eachInTurn<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}

async function byOpenssl({ root, between, isBetweenEmpty, certificate }: Files): Promise<string> {
  const strict = ["-x509_strict", "-check_ss_sig", "-no-CApath", "-no-CAstore"];
  try {
    const untrusted = isBetweenEmpty ? [] : ["-untrusted", between];
    await run("openssl", ["verify", ...strict, "-CAfile", root, ...untrusted, certificate]);
    return "ok";
  } catch (error) {
    return wordsOf(error);
  }
}

/** openssl says on standard error why it refuses; the command line and the path are of no interest. */
function wordsOf(error: unknown): string {
  const said = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr) : "";
  const why = /lookup: (.*)/.exec(said)?.[1];
  if (why === undefined) throw error;
  return why;
}

/** Node judges no path by itself: each certificate by the one above it. */
function byNode({ root, between, certificate }: Subject): string {
  const path = [certificate, ...between, root].map((pem) => new X509Certificate(pem));
  const faults = path.flatMap((subject, index) => {
    const issuer = path[index + 1] ?? subject;
    return [
      subject.checkIssued(issuer) ? [] : ["not issued by the one above it"],
      subject.verify(issuer.publicKey) ? [] : ["not signed by the one above it"],
      issuer.ca ? [] : ["the one above it is no CA"],
    ].flat();
  });
  return faults.join(", ") || "ok";
}

async function byGo(files: readonly Files[]): Promise<string[]> {
  const triples = files.flatMap(({ root, between, certificate }) => [root, between, certificate]);
  try {
    const env = { ...process.env, GOWORK: "off" };
    const { stdout } = await run("go", ["run", ".", ...triples], { cwd: VERIFIER, env });
    return stdout.trimEnd().split("\n");
  } catch (cause) {
    throw new UnavailableError(`cannot ask Go: ${String(cause).trimEnd()}`, {
      code: "ToolMissing",
      cure: "see that Go >= 1.26 is on the PATH (https://go.dev/dl)",
      cause,
    });
  }
}
