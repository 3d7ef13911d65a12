import type { ANSWER_HEADERS } from "./wire.ts";

/** An HTTP answer to one question, as it came. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** The answer to one question, taken apart. A field that Envoy did not fill is undefined. */
export interface ProbeAnswer {
  readonly status: number;
  /** Envoy's short word for what went wrong, like `UF`. */
  readonly flags: string | undefined;
  readonly details: string | undefined;
  /** Why there was no connection, or no TLS. */
  readonly failure: string | undefined;
  /** The address that was dialled, without its port. */
  readonly host: string | undefined;
  /** Whether a certificate was seen at all. */
  readonly hasIssuer: boolean;
  /** The cluster whose intermediate CA has issued the certificate of the other side, by its locality. */
  readonly issuedBy: string | undefined;
  /** The cluster for which the other side says that it answers. */
  readonly answersFor: string | undefined;
  /** From the request's first byte to the answer's, as the reader's proxy measured it. */
  readonly latencyMs: number | undefined;
}

/** Envoy's word for the place of a value that it does not have. */
const EMPTY = "-";

export function parseAnswer({ status, headers, body }: RawAnswer): ProbeAnswer {
  const field = (name: keyof typeof ANSWER_HEADERS) => {
    const value = headers[name]?.trim() ?? "";
    return value === "" || value === EMPTY ? undefined : value;
  };
  const issuer = field("x-ask-issuer");
  const took = Number(field("x-ask-took") ?? Number.NaN);
  return {
    status,
    flags: field("x-ask-flags"),
    details: field("x-ask-details"),
    failure: field("x-ask-failure"),
    host: addressIn(field("x-ask-host")),
    hasIssuer: issuer !== undefined,
    issuedBy: localityIn(issuer),
    answersFor: clusterIn(body),
    latencyMs: Number.isFinite(took) && took >= 0 ? took / 1000 : undefined,
  };
}

/** Of `10.0.0.1:15842` or `[fd00::1]:15842`. */
function addressIn(host: string | undefined): string | undefined {
  return /^\[?(?<address>[\d.:a-f]+?)\]?:\d+$/i.exec(host ?? "")?.groups?.["address"];
}

/** The form of a cluster ID. Another text is of somebody else, and stands for no cluster. */
const CLUSTER_ID = /^[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?$/;

function asClusterId(text: unknown): string | undefined {
  return typeof text === "string" && CLUSTER_ID.test(text) ? text : undefined;
}

/** The attribute L of `L=cn-shop-east,CN=Intermediate CA,O=Istio`; a comma within a value is escaped. */
function localityIn(issuer = ""): string | undefined {
  const attributes = issuer.split(/(?<!\\)[,+]/).map((each) => each.trim());
  const [locality, second] = attributes.filter((each) => each.startsWith("L="));
  return second === undefined ? asClusterId(locality?.slice("L=".length)) : undefined;
}

function clusterIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const cluster: unknown =
      typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "cluster") : undefined;
    return asClusterId(cluster);
  } catch {
    return undefined;
  }
}
