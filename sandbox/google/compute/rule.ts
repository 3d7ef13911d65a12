import { BlockList, isIP } from "node:net";
import { GoogleError } from "../http/google-error.ts";

export interface Protocol {
  readonly IPProtocol: string;
  readonly ports?: readonly string[];
}

/**
 * A `Firewall` of the API, every default filled in;
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
 */
export interface Rule {
  readonly kind: "compute#firewall";
  readonly id: string;
  readonly creationTimestamp: string;
  readonly name: string;
  readonly description: string;
  /** Of the form `https://…/projects/P/global/networks/N`. */
  readonly network: string;
  readonly priority: number;
  readonly direction: "INGRESS" | "EGRESS";
  readonly disabled: boolean;
  readonly allowed?: readonly Protocol[];
  readonly denied?: readonly Protocol[];
  readonly sourceRanges?: readonly string[];
  readonly destinationRanges?: readonly string[];
  readonly sourceTags?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly sourceServiceAccounts?: readonly string[];
  readonly targetServiceAccounts?: readonly string[];
  readonly logConfig: { readonly enable: boolean };
  readonly selfLink: string;
}

type Stated = Readonly<Record<string, unknown>>;

const NAME = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const PRIORITY_MAX = 65_535;
const DEFAULT_PRIORITY = 1000;
const EVERYWHERE = "0.0.0.0/0";
const LISTS = ["sourceTags", "targetTags", "sourceServiceAccounts", "targetServiceAccounts"] as const;

/** What the caller states of a rule, with the API's defaults; refuses what the API refuses. */
export function parseRule(
  stated: Stated,
): Omit<Rule, "kind" | "id" | "creationTimestamp" | "network" | "selfLink"> {
  const {
    name,
    priority = DEFAULT_PRIORITY,
    direction = "INGRESS",
    description = "",
    disabled = false,
  } = stated;
  if (typeof name !== "string" || !NAME.test(name)) throw invalid("name", name);
  if (!Number.isInteger(priority) || Number(priority) < 0 || Number(priority) > PRIORITY_MAX) {
    throw invalid("priority", priority);
  }
  if (direction !== "INGRESS" && direction !== "EGRESS") throw invalid("direction", direction);
  const allowed = protocols(stated, "allowed");
  const denied = protocols(stated, "denied");
  if ((allowed === undefined) === (denied === undefined)) {
    throw new GoogleError("INVALID_ARGUMENT", "Exactly one of allowed and denied must be specified.");
  }
  const lists = Object.fromEntries(
    LISTS.flatMap((key) => {
      const values = strings(stated, key);
      return values.length === 0 ? [] : [[key, values]];
    }),
  );
  return {
    name,
    description: String(description),
    priority: Number(priority),
    direction,
    disabled: disabled === true,
    ...(allowed === undefined ? {} : { allowed }),
    ...(denied === undefined ? {} : { denied }),
    ...ranges(stated, direction),
    ...lists,
    logConfig: { enable: false },
  };
}

function ranges(
  stated: Stated,
  direction: "INGRESS" | "EGRESS",
): Pick<Rule, "sourceRanges" | "destinationRanges"> {
  const sources = cidrs(stated, "sourceRanges");
  const destinations = cidrs(stated, "destinationRanges");
  const byName = [...strings(stated, "sourceTags"), ...strings(stated, "sourceServiceAccounts")].length > 0;
  const filtered = direction === "INGRESS" ? sources : destinations;
  const everywhere = filtered.length === 0 && !(direction === "INGRESS" && byName) ? [EVERYWHERE] : [];
  const [source, destination] =
    direction === "INGRESS"
      ? [[...sources, ...everywhere], destinations]
      : [sources, [...destinations, ...everywhere]];
  return {
    ...(source.length === 0 ? {} : { sourceRanges: source }),
    ...(destination.length === 0 ? {} : { destinationRanges: destination }),
  };
}

function protocols(stated: Stated, key: "allowed" | "denied"): Protocol[] | undefined {
  const value = stated[key];
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  if (!Array.isArray(value)) throw invalid(key, value);
  return value.map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) throw invalid(key, entry);
    const fields: Stated = { ...entry };
    const protocol = fields["IPProtocol"];
    if (typeof protocol !== "string" || protocol === "") throw invalid(`${key}.IPProtocol`, protocol);
    const ports = strings(fields, "ports");
    return { IPProtocol: protocol, ...(ports.length === 0 ? {} : { ports }) };
  });
}

function strings(stated: Stated, key: string): string[] {
  const value = stated[key] ?? [];
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) throw invalid(key, value);
  return value;
}

function cidrs(stated: Stated, key: string): string[] {
  const values = strings(stated, key);
  const wrong = values.find((value) => blockOf([value]) === undefined);
  if (wrong !== undefined) throw invalid(key, wrong);
  return values;
}

function blockOf(values: readonly string[]): BlockList | undefined {
  const block = new BlockList();
  for (const value of values) {
    const [address = "", bits] = value.split("/");
    const version = isIP(address);
    if (version === 0) return undefined;
    const whole = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? whole : Number(bits);
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > whole) return undefined;
    block.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return block;
}

function invalid(field: string, value: unknown): GoogleError {
  return new GoogleError(
    "INVALID_ARGUMENT",
    `Invalid value for field 'resource.${field}': '${JSON.stringify(value)}'.`,
  );
}

/** A pod as rules see it. */
export interface PodOfNode {
  /** Of the VPC, in the pod range of its cluster. */
  readonly address: string;
  /** Network tags of the node that it runs on. */
  readonly nodeTags: readonly string[];
}

/** A TCP connection between two pods of one network. */
export interface Connection {
  readonly source: PodOfNode;
  readonly destination: PodOfNode;
  readonly port: number;
}

/**
 * What a VPC with these rules does: one that lets nothing in that no rule allows, and out all that no rule
 * denies. No node here has a service account, so a rule for some accounts decides about none.
 */
export function passes(rules: readonly Rule[], connection: Connection): boolean {
  const { source, destination, port } = connection;
  const decide = (direction: Rule["direction"], node: PodOfNode, otherwise: boolean): boolean => {
    const [first] = rules
      .filter((rule) => !rule.disabled && rule.direction === direction && isForNode(rule, node))
      .filter((rule) => holds(rule.sourceRanges, source.address, direction === "EGRESS"))
      .filter((rule) => holds(rule.destinationRanges, destination.address, direction === "INGRESS"))
      .filter(({ allowed, denied }) => isAbout(allowed ?? denied ?? [], port))
      .toSorted(
        (a, b) => a.priority - b.priority || Number(b.denied !== undefined) - Number(a.denied !== undefined),
      );
    return first === undefined ? otherwise : first.allowed !== undefined;
  };
  return decide("EGRESS", source, true) && decide("INGRESS", destination, false);
}

function isForNode({ targetTags = [], targetServiceAccounts = [] }: Rule, { nodeTags }: PodOfNode): boolean {
  if (targetServiceAccounts.length > 0) return false;
  return targetTags.length === 0 || targetTags.some((tag) => nodeTags.includes(tag));
}

function holds(list: readonly string[] | undefined, address: string, ifAbsent: boolean): boolean {
  return list === undefined ? ifAbsent : (blockOf(list)?.check(address) ?? false);
}

function isAbout(entries: readonly Protocol[], port: number): boolean {
  return entries.some(({ IPProtocol, ports }) => {
    if (!["all", "tcp", "6"].includes(IPProtocol.toLowerCase())) return false;
    return (
      ports?.some((range) => {
        const [first = "", last = first] = range.split("-");
        return Number(first) <= port && port <= Number(last);
      }) ?? true
    );
  });
}
