export interface KubeconfigOptions {
  /** Names cluster, user and context alike. */
  readonly name: string;
  readonly server: string;
  /** Certificate authority: the PEM text, or a file that holds it. */
  readonly ca?: { readonly pem: string } | { readonly file: string };
  /** The token itself, or a file that is read again as it changes. */
  readonly token?: string | { readonly file: string };
}

function caOf(ca: KubeconfigOptions["ca"]): object {
  if (ca === undefined) return {};
  return "file" in ca
    ? { "certificate-authority": ca.file }
    : { "certificate-authority-data": Buffer.from(ca.pem).toString("base64") };
}

function userOf(token: KubeconfigOptions["token"]): object {
  if (token === undefined) return {};
  return typeof token === "string" ? { token } : { tokenFile: token.file };
}

/** A kubeconfig for the sandbox's own processes, as JSON, which is YAML too. */
export function renderKubeconfig({ name, server, ca, token }: KubeconfigOptions): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, ...caOf(ca) } }],
    users: [{ name, user: userOf(token) }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
