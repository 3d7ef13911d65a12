import * as z from "zod/mini";
import type { ErrorBody } from "../../../functions/http/answer.ts";
import { ACCOUNTS, CHECK_STATES, type Diagnosis } from "../../../shared/core/answers/check.ts";
import type { Finding } from "../../../shared/core/answers/finding.ts";
import { OUTCOMES } from "../../../shared/core/answers/outcome.ts";
import type { Plan } from "../../../shared/core/answers/plan.ts";
import { REASONS } from "../../../shared/core/answers/reasons.ts";
import {
  type CertificateStatus,
  type DrainStatus,
  type GatewayStatus,
  type IngressStatus,
  PAIR_ROUTES,
  PAIR_STATUSES,
  type RunStatus,
  type Status,
} from "../../../shared/core/answers/status.ts";
import type { Summary } from "../../../shared/core/answers/summary.ts";
import { ENDPOINT_KINDS } from "../../../shared/core/cluster/cluster.ts";
import { EXPOSURES } from "../../../shared/core/network/gateway.ts";
import { INGRESS_TLS_STATES } from "../../../shared/core/network/ingress.ts";
import { PROBE_CAUSE_NAMES } from "../../../shared/core/probe/causes.ts";
import { PROBE_STATES } from "../../../shared/core/probe/judge.ts";
import { STAGES } from "../../../shared/core/roots/stages.ts";

/**
 * The answers of the function as schemas. They document the types of the core, and a test holds real answers
 * to them. The function itself does not load them.
 */

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an enum wants a tuple of its names
const reason = z.enum(Object.keys(REASONS) as [keyof typeof REASONS]);
const outcome = z.enum(OUTCOMES);
const time = z.iso.datetime();
const fingerprint = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const finding: z.ZodMiniType<Finding> = z.strictObject({
  reason,
  severity: z.enum(["info", "warning", "error"]),
  message: z.string(),
  cure: z.string(),
  clusterId: z.exactOptional(z.string()),
});

const findings = z.array(finding);

const certificate: z.ZodMiniType<CertificateStatus> = z.strictObject({ fingerprint, notAfter: time });

const runStatus: z.ZodMiniType<RunStatus | "unknown"> = z.union([
  z.strictObject({ at: time, outcome, version: z.string() }),
  z.literal("unknown"),
]);

const gateway: z.ZodMiniType<GatewayStatus> = z.union([
  z.strictObject({ state: z.enum(["none", "unknown"]) }),
  z.strictObject({
    state: z.literal("present"),
    address: z.exactOptional(z.string()),
    up: z.boolean(),
    exposure: z.enum(EXPOSURES),
  }),
]);

const drain: z.ZodMiniType<DrainStatus> = z.union([
  z.strictObject({ state: z.enum(["none", "unknown"]) }),
  z.strictObject({ state: z.literal("present"), since: time, by: z.string(), reason: z.string() }),
]);

const ingress: z.ZodMiniType<IngressStatus> = z.union([
  z.strictObject({ state: z.enum(["none", "unknown"]) }),
  z.strictObject({
    state: z.literal("present"),
    address: z.exactOptional(z.string()),
    up: z.boolean(),
    tls: z.enum(INGRESS_TLS_STATES),
  }),
]);

const status: z.ZodMiniType<Status> = z.strictObject({
  meshId: z.string(),
  version: z.string(),
  istio: z.string(),
  time,
  runs: z.strictObject({ full: runStatus, tick: runStatus }),
  writesPaused: z.nullable(time),
  nextRenewal: z.nullable(time),
  members: z.array(
    z.strictObject({
      clusterId: z.string(),
      project: z.string(),
      location: z.string(),
      name: z.string(),
      reachable: z.boolean(),
      network: z.strictObject({ name: z.string(), declared: z.boolean() }),
      gateway,
      drain,
      ingress,
      kubernetesVersion: z.string(),
      istioVersion: z.nullable(z.string()),
      endpoint: z.nullable(z.enum(ENDPOINT_KINDS)),
      root: z.array(certificate),
      intermediate: z.strictObject({
        written: z.nullable(certificate),
        loaded: z.array(z.strictObject({ pod: z.string(), fingerprint })),
      }),
      findings,
    }),
  ),
  pairs: z.array(
    z.strictObject({
      reader: z.string(),
      target: z.string(),
      pod: z.string(),
      status: z.enum(PAIR_STATUSES),
      isDue: z.boolean(),
      route: z.enum(PAIR_ROUTES),
      probe: z.strictObject({
        state: z.enum(PROBE_STATES),
        latencyMs: z.exactOptional(z.number()),
        at: z.exactOptional(time),
        cause: z.exactOptional(z.enum(PROBE_CAUSE_NAMES)),
      }),
      tokenExpiry: z.nullable(time),
      seenAt: time,
    }),
  ),
  rotation: z.strictObject({
    stage: z.enum(STAGES),
    since: z.nullable(time),
    paused: z.nullable(time),
    loaded: z.int(),
    waitingFor: z.array(z.string()),
    until: z.nullable(time),
  }),
  left: z.array(z.strictObject({ clusterId: z.string(), since: time, trustedUntil: z.nullable(time) })),
  lately: z.array(z.strictObject({ at: time, clusterId: z.exactOptional(z.string()), what: z.string() })),
  findings,
});

const plan: z.ZodMiniType<Plan> = z.strictObject({
  actions: z.array(
    z.strictObject({
      verb: z.enum(["create", "update", "delete"]),
      clusterId: z.string(),
      object: z.strictObject({ kind: z.string(), namespace: z.exactOptional(z.string()), name: z.string() }),
      findings,
    }),
  ),
  findings,
});

const summary: z.ZodMiniType<Summary> = z.strictObject({
  outcome,
  members: z.array(z.strictObject({ clusterId: z.string(), outcome, findings })),
  pairs: z.array(z.strictObject({ reader: z.string(), target: z.string(), outcome })),
  findings,
});

const diagnosis: z.ZodMiniType<Diagnosis> = z.strictObject({
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(CHECK_STATES),
      clusterId: z.exactOptional(z.string()),
      account: z.enum(ACCOUNTS),
      message: z.string(),
      cure: z.exactOptional(z.string()),
    }),
  ),
});

/** An error of any version: later versions may add codes. */
const error: z.ZodMiniType<Omit<ErrorBody, "code"> & { readonly code: string }> = z.strictObject({
  code: z.string(),
  message: z.string(),
  cure: z.exactOptional(z.string()),
  field: z.exactOptional(z.string()),
});

/** By name in the OpenAPI document. */
export const OUTPUTS = {
  Finding: finding,
  Certificate: certificate,
  Status: status,
  Plan: plan,
  Summary: summary,
  Diagnosis: diagnosis,
  Error: error,
} as const;
