import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory for one openssl job, and openssl in it. */
export interface Openssl {
  /** Answers what it prints; throws if openssl fails. */
  readonly run: (...args: string[]) => string;
  readonly write: (file: string, content: string | Buffer) => void;
  readonly read: (file: string) => string;
}

/** An opinion from outside: runs `job` with openssl in a directory of its own, and leaves nothing behind. */
export function withOpenssl<T>(job: (openssl: Openssl) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "meshjoin-openssl-"));
  try {
    return job({
      run: (...args) =>
        execFileSync("openssl", args, {
          cwd: directory,
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        }),
      write: (file, content) => writeFileSync(join(directory, file), content),
      read: (file) => readFileSync(join(directory, file), "utf8"),
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export type KeyForm = "PKCS#1" | "SEC1" | "PKCS#8";

export interface OpensslRootOptions {
  readonly key: "rsa:2048" | "P-256" | "P-384";
  readonly form?: KeyForm;
  /** `utf8only`, or `nombstr` for PrintableString where the characters allow it. */
  readonly stringMask?: "utf8only" | "nombstr";
  readonly subject?: string;
  readonly days?: number;
}

/** A root as an operator without Meshjoin makes one: certificate and key, PEM. */
export function opensslRoot(options: OpensslRootOptions): { certificate: string; privateKey: string } {
  const {
    key,
    form = "PKCS#8",
    stringMask = "utf8only",
    subject = "/C=DE/O=Example/CN=Example Root",
    days = 3650,
  } = options;
  return withOpenssl(({ run, write, read }) => {
    write(
      "root.cnf",
      `[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ca\nstring_mask=${stringMask}\n[dn]\nCN=unused\n` +
        "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    );
    makeKey(run, key, form);
    run(
      "req",
      "-x509",
      "-new",
      "-config",
      "root.cnf",
      "-key",
      "key.pem",
      "-subj",
      subject,
      "-days",
      String(days),
      "-utf8",
      "-out",
      "root.pem",
    );
    return { certificate: read("root.pem"), privateKey: read("key.pem") };
  });
}

function makeKey(run: Openssl["run"], key: OpensslRootOptions["key"], form: KeyForm): void {
  const kind = key === "rsa:2048" ? ["RSA", "rsa_keygen_bits:2048"] : ["EC", `ec_paramgen_curve:${key}`];
  run("genpkey", "-algorithm", kind[0] ?? "", "-pkeyopt", kind[1] ?? "", "-out", "key.pem");
  if (form === "PKCS#1") run("rsa", "-in", "key.pem", "-traditional", "-out", "key.pem");
  if (form === "SEC1") run("ec", "-in", "key.pem", "-out", "key.pem");
}
