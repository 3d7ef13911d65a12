import type { ServerResponse } from "node:http";
import type { RequestLedger } from "../http/ledger.ts";
import { type LocalServer, listen, requestUrl } from "../http/server.ts";
import type { IdentityTokens } from "./identity-tokens.ts";
import { TOKEN_LIFETIME, type TokenRegistry } from "./tokens.ts";

export interface MetadataOptions {
  readonly project: string;
  readonly projectNumber: string;
  /** The service account of the one workload that this server stands beside. */
  readonly email: string;
  readonly tokens: TokenRegistry;
  readonly identityTokens: IdentityTokens;
  readonly ledger: RequestLedger;
}

const ROOT = "/computeMetadata/v1/";

/**
 * The metadata server of one workload: where google-auth-library takes its tokens from when
 * `GCE_METADATA_HOST` names it. https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
 */
export function startMetadataServer(options: MetadataOptions): Promise<LocalServer> {
  return listen((request, response) => {
    options.ledger.record(options.email, "metadata");
    if (request.headers["metadata-flavor"] !== "Google") {
      answer(response, 403, "missing the header Metadata-Flavor: Google; send it");
      return;
    }
    const url = requestUrl(request);
    const value = resolve(options, url);
    if (value === undefined) answer(response, 404, `${url.pathname} is not served here`);
    else answer(response, 200, value);
  });
}

function resolve(options: MetadataOptions, url: URL): string | object | undefined {
  const key = url.pathname.startsWith(ROOT) ? url.pathname.slice(ROOT.length) : url.pathname;
  const account = /^instance\/service-accounts\/(?<name>[^/]+)\/(?<leaf>.*)$/.exec(key)?.groups;
  if (account !== undefined) {
    const known = account["name"] === "default" || account["name"] === options.email;
    return known ? accountValue(options, account["leaf"] ?? "", url) : undefined;
  }
  const recursive = url.searchParams.get("recursive")?.toLowerCase() === "true";
  switch (key.replace(/\/$/, "")) {
    case "project/project-id":
      return options.project;
    case "project/numeric-project-id":
      return options.projectNumber;
    case "project":
      return recursive ? { projectId: options.project } : "numeric-project-id\nproject-id\n";
    case "universe/universe-domain":
      return "googleapis.com";
    case "instance":
      return recursive ? { serviceAccounts: accounts(options) } : "service-accounts/\n";
    case "instance/service-accounts":
      return recursive ? accounts(options) : `default/\n${options.email}/\n`;
    default:
      return undefined;
  }
}

function accountValue(options: MetadataOptions, leaf: string, url: URL): string | object | undefined {
  switch (leaf) {
    case "":
      return url.searchParams.get("recursive")?.toLowerCase() === "true"
        ? accountEntry(options)
        : "aliases\nemail\nidentity\nscopes\ntoken\n";
    case "token":
      return {
        access_token: options.tokens.issue(options.email, TOKEN_LIFETIME),
        expires_in: TOKEN_LIFETIME,
        token_type: "Bearer",
      };
    case "email":
      return options.email;
    case "aliases":
      return "default\n";
    case "scopes":
      return "https://www.googleapis.com/auth/cloud-platform\n";
    case "identity": {
      const audience = url.searchParams.get("audience");
      return audience ? options.identityTokens.issue(options.email, audience) : undefined;
    }
    default:
      return undefined;
  }
}

function accounts(options: MetadataOptions): object {
  return { default: accountEntry(options), [options.email]: accountEntry(options) };
}

function accountEntry(options: MetadataOptions): object {
  return {
    aliases: ["default"],
    email: options.email,
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
  };
}

function answer(response: ServerResponse, status: number, value: string | object): void {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const contentType = typeof value === "string" ? "application/text" : "application/json";
  response.writeHead(status, { "content-type": contentType, "metadata-flavor": "Google" }).end(text);
}
