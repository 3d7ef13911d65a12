import * as z from "zod/mini";
import { parseRange } from "./core/cluster/address-ranges.ts";
import { parseDuration } from "./core/duration.ts";
import { IMAGE_HUB_CURE, isImageHub } from "./core/image-hub.ts";
import { EXPOSURES } from "./core/network/gateway.ts";
import {
  type Access,
  DNS_CAPTURE_POLICIES,
  FAILOVER_POLICIES,
  GATEWAY_POLICIES,
  INGRESS_POLICIES,
  INTERMEDIATE_TO_WORKLOAD,
  KEY_ALGORITHMS,
  type MeshSpec,
  PROBE_POLICIES,
} from "./core/spec.ts";
import { YAML_WORDS } from "./core/yaml-words.ts";
import { ConfigError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** All environment variables that have an effect. */
export interface Config {
  readonly spec: MeshSpec;
  /** URL of the signer, without a slash at the end; undefined: this process reads the root keys itself. */
  readonly signerUrl?: string;
  /** URL of the function that examines the rotator's account, without a slash at the end. */
  readonly examineRotatorUrl?: string;
  /** Stand-ins for Google's APIs, on loopback alone, so that no request leaves the machine. */
  readonly containerEndpoint?: string;
  readonly secretManagerEndpoint?: string;
  readonly computeEndpoint?: string;
  /** For the APIs about a project: billing, enabled APIs, rights, policies, quotas. */
  readonly projectEndpoint?: string;
}

const ACCESS = ["auto", "dns", "private", "public"] as const satisfies readonly Access[];
const LOOPBACK_HOSTS = ["127.0.0.1", "[::1]", "localhost"];
/** TokenRequest refuses less; Kubernetes `pkg/registry/core/serviceaccount/storage/token.go`. */
const TOKEN_TTL_MIN = 600;

/** Less than three full runs would be no proof that a member stays silent. */
const DRAIN_AFTER_MIN = 1200;

/** Project IDs, those of a domain (`example.com:fleet`) included, which may be shorter. */
const PROJECT = /^(?:[a-z0-9][-.a-z0-9]*:)?[a-z][-a-z0-9]{1,28}[a-z0-9]$/;

/** Istio's name of a network: of a VPC, `project.name`, or of a label. */
const NETWORK = /^[a-z0-9](?:[-_.a-z0-9]{0,61}[a-z0-9])?$/;

/** A schema from a function that answers `undefined` for a wrong value; `cure` is the message then. */
function text<T>(read: (value: string) => T | undefined, cure: string): z.ZodMiniType<T, string> {
  return z.pipe(
    z.string(),
    z.transform((value, context): T => {
      const result = read(value);
      if (result !== undefined) return result;
      context.issues.push({ code: "custom", message: cure, input: value });
      return z.NEVER;
    }),
  );
}

function matching(pattern: RegExp, cure: string): z.ZodMiniType<string, string> {
  return text((value) => (pattern.test(value) ? value : undefined), cure);
}

function oneOf<const T extends readonly string[]>(choices: T): z.ZodMiniType<T[number], string> {
  return text((value) => choices.find((choice) => choice === value), `use ${choices.join(", ")}`);
}

function duration(min: number, cure: string): z.ZodMiniType<number, string> {
  return text((value) => {
    const seconds = parseDuration(value);
    return seconds !== undefined && seconds >= min ? seconds : undefined;
  }, cure);
}

function share(): z.ZodMiniType<number, string> {
  return text((value) => {
    const number = /^\d*(?:\.\d+)?$/.test(value) ? Number(value) : 0;
    return number > 0 && number <= 1 ? number : undefined;
  }, "use a number above 0, up to 1");
}

function words(each: RegExp, cure: string): z.ZodMiniType<string[], string> {
  return text((value) => {
    const list = value.split(",").map((word) => word.trim());
    return list.every((word) => each.test(word)) && new Set(list).size === list.length ? list : undefined;
  }, cure);
}

/** `a+b,c+d`: groups of at least two networks, each network in one group at most. */
function connectedNetworks(value: string): string[][] | undefined {
  const groups = value.split(",").map((group) => group.split("+").map((name) => name.trim()));
  const names = groups.flat();
  const isWhole = groups.every((group) => group.length > 1) && new Set(names).size === names.length;
  return isWhole && names.every((name) => NETWORK.test(name)) ? groups : undefined;
}

function isLoopbackHttp(value: string): boolean {
  const url = URL.parse(value);
  return url?.protocol === "http:" && LOOPBACK_HOSTS.includes(url.hostname);
}

/** An identity token is for one spelling of a URL: Cloud Run's, without a slash at the end. */
function functionUrl(value: string): string | undefined {
  const url = URL.parse(value);
  const secure = url?.protocol === "https:" || isLoopbackHttp(value);
  if (!secure || /[?#@]/.test(value)) return undefined;
  return value.replace(/\/+$/, "");
}

function loopbackUrl(): z.ZodMiniType<string, string> {
  return text(
    (value) => (isLoopbackHttp(value) ? value : undefined),
    "it is for the sandbox alone: use an http URL of this machine's loopback, or remove it",
  );
}

function meshId(): z.ZodMiniType<string, string> {
  const form = /^[a-z](?:[-a-z0-9]{0,28}[a-z0-9])?$/;
  return text(
    (value) =>
      form.test(value) && !value.startsWith("proj-") && !YAML_WORDS.includes(value) ? value : undefined,
    "use 1 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen; " +
      `not proj-… (Cloud Service Mesh's own), and none of ${YAML_WORDS.join(", ")}`,
  );
}

const SCHEMA = z.object({
  MESHJOIN_MESH_ID: meshId(),
  MESHJOIN_PROJECTS: words(PROJECT, "use project IDs, separated by commas, each one once"),
  MESHJOIN_ROOT_PROJECT: z.optional(matching(PROJECT, "use a project ID")),
  MESHJOIN_MESH_LABEL: matching(
    /^[a-z][-_a-z0-9]{0,62}$/,
    "use a label key: lower-case letters, digits, _ and -",
  ),
  MESHJOIN_ALLOW: z.optional(
    words(/^[-a-z0-9*?]+$/, "use globs over cluster names (a-z 0-9 - * ?), separated by commas"),
  ),
  MESHJOIN_KEY_ALGORITHM: oneOf(KEY_ALGORITHMS),
  MESHJOIN_INTERMEDIATE_TTL: duration(1, "use a duration like 90d"),
  MESHJOIN_WORKLOAD_TTL: duration(1, "use a duration like 24h"),
  MESHJOIN_CLOCK_SKEW: duration(0, "use a duration like 5m"),
  MESHJOIN_TOKEN_TTL: duration(TOKEN_TTL_MIN, "use a duration of at least 10m, like 7d"),
  MESHJOIN_ACCESS_FUNCTION: oneOf(ACCESS),
  MESHJOIN_ACCESS_PEERS: oneOf(ACCESS),
  MESHJOIN_MASS_LEAVE_SHARE: share(),
  MESHJOIN_DRAIN_SHARE: share(),
  MESHJOIN_DRAIN_AFTER: z.optional(
    duration(DRAIN_AFTER_MIN, "use a duration of at least 20m, like 30m, or leave it empty"),
  ),
  MESHJOIN_LEAVE_GRACE: duration(0, "use a duration like 1h"),
  MESHJOIN_ROTATION_SHARE: share(),
  MESHJOIN_GATEWAYS: oneOf(GATEWAY_POLICIES),
  MESHJOIN_GATEWAY_EXPOSURE: oneOf(EXPOSURES),
  MESHJOIN_GATEWAY_SOURCE_RANGES: z.optional(
    text((value) => {
      const ranges = value.split(",").map((range) => range.trim());
      return ranges.every((range) => parseRange(range) !== undefined) ? ranges : undefined;
    }, "use ranges of IPv4 addresses like 10.0.0.0/8, separated by commas"),
  ),
  MESHJOIN_GATEWAY_SETTLE: duration(0, "use a duration like 1m"),
  MESHJOIN_CONNECTED_NETWORKS: z.optional(
    text(
      connectedNetworks,
      "use groups of networks that reach each other, like shop.vpc-a+shop.vpc-b,dmz+shop.vpc-c, each network in one group; meshjoin status names them",
    ),
  ),
  MESHJOIN_PROBE: oneOf(PROBE_POLICIES),
  MESHJOIN_FAILOVER: oneOf(FAILOVER_POLICIES),
  MESHJOIN_INGRESS: oneOf(INGRESS_POLICIES),
  MESHJOIN_INGRESS_TLS_SECRET: z.optional(
    matching(
      /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/,
      "use the name of a Secret in namespace istio-ingress, without the namespace",
    ),
  ),
  MESHJOIN_DNS_CAPTURE: oneOf(DNS_CAPTURE_POLICIES),
  MESHJOIN_ISTIO_HUB: z.optional(text((value) => (isImageHub(value) ? value : undefined), IMAGE_HUB_CURE)),
  MESHJOIN_SIGNER_URL: z.optional(
    text(functionUrl, "use the https URL of the function sign-intermediate, without query"),
  ),
  MESHJOIN_EXAMINE_ROTATOR_URL: z.optional(
    text(functionUrl, "use the https URL of the function examine-rotator, without query"),
  ),
  MESHJOIN_CONTAINER_ENDPOINT: z.optional(loopbackUrl()),
  MESHJOIN_SECRETMANAGER_ENDPOINT: z.optional(loopbackUrl()),
  MESHJOIN_COMPUTE_ENDPOINT: z.optional(loopbackUrl()),
  MESHJOIN_PROJECT_ENDPOINT: z.optional(loopbackUrl()),
});

export type VariableName = keyof typeof SCHEMA.shape;

export const DEFAULTS = {
  MESHJOIN_MESH_LABEL: "mesh_id",
  MESHJOIN_KEY_ALGORITHM: "ec-p256",
  MESHJOIN_INTERMEDIATE_TTL: "90d",
  MESHJOIN_WORKLOAD_TTL: "24h",
  MESHJOIN_CLOCK_SKEW: "5m",
  MESHJOIN_TOKEN_TTL: "7d",
  MESHJOIN_ACCESS_FUNCTION: "auto",
  MESHJOIN_ACCESS_PEERS: "auto",
  MESHJOIN_MASS_LEAVE_SHARE: "0.5",
  MESHJOIN_DRAIN_SHARE: "0.5",
  MESHJOIN_LEAVE_GRACE: "1h",
  MESHJOIN_ROTATION_SHARE: "0.2",
  MESHJOIN_GATEWAYS: "auto",
  MESHJOIN_GATEWAY_EXPOSURE: "internal",
  MESHJOIN_GATEWAY_SETTLE: "1m",
  MESHJOIN_PROBE: "off",
  MESHJOIN_FAILOVER: "on",
  MESHJOIN_INGRESS: "off",
  MESHJOIN_DNS_CAPTURE: "off",
} as const satisfies Partial<Record<VariableName, string>>;

/** For other parts of the project. A function in the sandbox has them in its environment and ignores them. */
const OTHERS = ["MESHJOIN_BINARIES", "MESHJOIN_ISTIOCTL"];

type Values = z.infer<typeof SCHEMA>;
type Environment = Readonly<Record<string, string | undefined>>;

export function variableNames(): string[] {
  return Object.keys(SCHEMA.shape);
}

function unknownVariables(env: Environment): string[] {
  const names = variableNames();
  return Object.keys(env)
    .filter((name) => name.startsWith("MESHJOIN_") && !names.includes(name) && !OTHERS.includes(name))
    .toSorted()
    .map((name) => {
      const similar = nearest(name, names);
      return `${name} is unknown: ${similar === undefined ? "remove it" : `did you mean ${similar}?`}`;
    });
}

/** The variables that are set, and defaults for the rest. An empty variable counts as not set. */
function withDefaults(env: Environment): Record<string, string> {
  const set = variableNames().flatMap((name) => {
    const value = env[name]?.trim() ?? "";
    return value === "" ? [] : [[name, value] as const];
  });
  return { ...DEFAULTS, ...Object.fromEntries(set) };
}

/** Of the required ones. */
const EXAMPLES: Readonly<Record<string, string>> = {
  MESHJOIN_MESH_ID: "MESHJOIN_MESH_ID=prod",
  MESHJOIN_PROJECTS: "MESHJOIN_PROJECTS=shop-prod,shop-prod-data",
};

/** As README has it. */
const FROM_TERRAFORM = `eval "$(terraform -chdir=terraform output -json environment | jq -r 'to_entries[] | "export \\(.key)=\\(.value | @sh)"')"`;

function describeIssue({ path, message }: z.core.$ZodIssue, variables: Record<string, string>): string {
  const name = String(path[0]);
  const value = variables[name];
  return value === undefined
    ? `${name} is missing: set it, like ${EXAMPLES[name] ?? name}`
    : `${name} is ${JSON.stringify(value)}: ${message}`;
}

/** Faults that only two variables together can have. */
function crossFaults(variables: Record<string, string>): string[] {
  return [...lifeFaults(variables), ...drainFaults(variables)];
}

/** Without the probes of its peers a silent member may only be silent for Meshjoin. */
function drainFaults({
  MESHJOIN_DRAIN_AFTER: after,
  MESHJOIN_PROBE: probe,
}: Record<string, string>): string[] {
  return after === undefined || probe === "on"
    ? []
    : [
        "MESHJOIN_DRAIN_AFTER needs MESHJOIN_PROBE=on, because Meshjoin drains no member whose peers still reach it: " +
          "set that, or leave MESHJOIN_DRAIN_AFTER empty",
      ];
}

function lifeFaults(variables: Record<string, string>): string[] {
  const intermediate = parseDuration(variables["MESHJOIN_INTERMEDIATE_TTL"] ?? "");
  const workload = parseDuration(variables["MESHJOIN_WORKLOAD_TTL"] ?? "");
  if (intermediate === undefined || workload === undefined) return [];
  if (intermediate >= INTERMEDIATE_TO_WORKLOAD * workload) return [];
  return [
    `MESHJOIN_INTERMEDIATE_TTL is shorter than ${INTERMEDIATE_TO_WORKLOAD} times MESHJOIN_WORKLOAD_TTL: ` +
      "lengthen the first or shorten the second",
  ];
}

function toSpec(values: Values): MeshSpec {
  return {
    meshId: values.MESHJOIN_MESH_ID,
    projects: values.MESHJOIN_PROJECTS,
    rootProject: values.MESHJOIN_ROOT_PROJECT ?? values.MESHJOIN_PROJECTS[0] ?? "",
    meshLabel: values.MESHJOIN_MESH_LABEL,
    allow: values.MESHJOIN_ALLOW ?? [],
    keyAlgorithm: values.MESHJOIN_KEY_ALGORITHM,
    intermediateTtl: values.MESHJOIN_INTERMEDIATE_TTL,
    workloadTtl: values.MESHJOIN_WORKLOAD_TTL,
    clockSkew: values.MESHJOIN_CLOCK_SKEW,
    tokenTtl: values.MESHJOIN_TOKEN_TTL,
    massLeaveShare: values.MESHJOIN_MASS_LEAVE_SHARE,
    drainShare: values.MESHJOIN_DRAIN_SHARE,
    ...(values.MESHJOIN_DRAIN_AFTER === undefined ? {} : { drainAfter: values.MESHJOIN_DRAIN_AFTER }),
    leaveGrace: values.MESHJOIN_LEAVE_GRACE,
    rotationShare: values.MESHJOIN_ROTATION_SHARE,
    gateways: values.MESHJOIN_GATEWAYS,
    gatewayExposure: values.MESHJOIN_GATEWAY_EXPOSURE,
    gatewaySourceRanges: values.MESHJOIN_GATEWAY_SOURCE_RANGES ?? [],
    gatewaySettle: values.MESHJOIN_GATEWAY_SETTLE,
    connectedNetworks: values.MESHJOIN_CONNECTED_NETWORKS ?? [],
    probe: values.MESHJOIN_PROBE,
    failover: values.MESHJOIN_FAILOVER,
    ingress: values.MESHJOIN_INGRESS,
    ...(values.MESHJOIN_INGRESS_TLS_SECRET === undefined
      ? {}
      : { ingressTlsSecret: values.MESHJOIN_INGRESS_TLS_SECRET }),
    dnsCapture: values.MESHJOIN_DNS_CAPTURE,
    accessFunction: values.MESHJOIN_ACCESS_FUNCTION,
    accessPeers: values.MESHJOIN_ACCESS_PEERS,
    ...(values.MESHJOIN_ISTIO_HUB === undefined ? {} : { istioHub: values.MESHJOIN_ISTIO_HUB }),
  };
}

function toConfig(values: Values): Config {
  const {
    MESHJOIN_SIGNER_URL: signerUrl,
    MESHJOIN_EXAMINE_ROTATOR_URL: examineRotatorUrl,
    MESHJOIN_CONTAINER_ENDPOINT: containerEndpoint,
    MESHJOIN_SECRETMANAGER_ENDPOINT: secretManagerEndpoint,
    MESHJOIN_COMPUTE_ENDPOINT: computeEndpoint,
    MESHJOIN_PROJECT_ENDPOINT: projectEndpoint,
  } = values;
  return {
    spec: toSpec(values),
    ...(signerUrl === undefined ? {} : { signerUrl }),
    ...(examineRotatorUrl === undefined ? {} : { examineRotatorUrl }),
    ...(containerEndpoint === undefined ? {} : { containerEndpoint }),
    ...(secretManagerEndpoint === undefined ? {} : { secretManagerEndpoint }),
    ...(computeEndpoint === undefined ? {} : { computeEndpoint }),
    ...(projectEndpoint === undefined ? {} : { projectEndpoint }),
  };
}

/** Fails with one ConfigError that names every wrong variable, each with its cure. */
export function loadConfig(env: Environment): Config {
  const variables = withDefaults(env);
  const result = SCHEMA.safeParse(variables);
  const issues = result.error?.issues.map((issue) => describeIssue(issue, variables)) ?? [];
  const faults = [...issues, ...crossFaults(variables), ...unknownVariables(env)];
  if (result.success && faults.length === 0) return toConfig(result.data);
  const isMissing = Object.keys(EXAMPLES).some((name) => variables[name] === undefined);
  throw new ConfigError(
    `the configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    {
      code: "InvalidConfiguration",
      cure: isMissing
        ? `correct each variable as its line says; where Terraform has deployed the mesh: ${FROM_TERRAFORM}`
        : "correct each variable as its line says",
      fields: { faults: faults.length },
    },
  );
}
