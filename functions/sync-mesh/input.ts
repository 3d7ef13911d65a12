import * as z from "zod/mini";
import type { ReconcileRequest } from "../../shared/core/request.ts";
import { InputError } from "../../shared/errors.ts";
import { checkContentType, JSON_TYPE, parseJson } from "../http/body.ts";
import { clusterIdSchema, parse, scopeSchema } from "../input/parse.ts";

/** Findings that a person may confirm, so that a run acts on them. */
const CONFIRMABLE = [
  "MassLeave",
  "NotConfigured",
  "IstioVersionDiffers",
  "NetworkChanges",
  "GatewayInUse",
  "TrafficDefaultsDiffer",
  "RollOutWaits",
  "MassDrain",
  "IngressInUse",
] as const;

type Confirmable = (typeof CONFIRMABLE)[number];

const confirmable = z.enum(CONFIRMABLE, `use ${CONFIRMABLE.join(", ")}`);

/** The body of `POST /sync`; every field is optional. */
export const SYNC_BODY = z.strictObject({
  scope: z.optional(scopeSchema),
  dryRun: z.optional(z.boolean("use true or false")),
  deep: z.optional(z.boolean("use true or false")),
  confirm: z.optional(z.array(confirmable, `use a list of ${CONFIRMABLE.join(", ")}`)),
});

const scopeName = z.union([z.literal("mesh"), clusterIdSchema], 'use "mesh" or a cluster ID: cn-…');

/** The query of `GET /`: the page, with `plan` also the plan of that scope. */
const PAGE_QUERY = z.strictObject({
  plan: z.optional(scopeName),
  refresh: z.optional(z.literal("off", "use off")),
});

/** The fields of a form for `POST /actions`, without its token. */
const ACTION_FORM = z.strictObject({
  action: z.enum(["plan", "sync"], "use plan, sync"),
  scope: scopeName,
  /** IDs of the clusters that the person has seen, and that are meant to leave, with commas between. */
  leaving: z.optional(
    z.pipe(
      z.pipe(
        z.string(),
        z.transform((text) => text.split(",")),
      ),
      z.array(clusterIdSchema),
    ),
  ),
});

export interface SyncInput {
  readonly request: ReconcileRequest;
  readonly dryRun: boolean;
}

export type PageQuery = z.infer<typeof PAGE_QUERY>;
export type ActionForm = z.infer<typeof ACTION_FORM>;

/** The query of `GET /plan`. */
export const PLAN_QUERY = z.strictObject({
  clusterId: z.optional(clusterIdSchema),
  confirm: z.optional(confirmable),
});

/** Fails with InputError, which names the first field at fault. */
export function parseSync(body: Buffer, contentType: string | undefined): SyncInput {
  checkContentType(contentType, JSON_TYPE);
  const {
    scope: where = "mesh",
    dryRun = false,
    deep = false,
    confirm = [],
  } = parse(SYNC_BODY, parseJson(body));
  if (dryRun && deep) throw notPlanned();
  return { request: { scope: where, reason: "sync", confirm, deep, rollOut: true }, dryRun };
}

/** A deep run finds edits by dry runs against the API server, so a plan cannot contain them. */
function notPlanned(): InputError {
  return new InputError("the edits that a deep run takes back cannot be planned", {
    code: "InvalidInput",
    cure: "leave out deep to plan everything else, or dryRun to take them back",
    field: "deep",
  });
}

/** Fails with InputError, which names the parameter at fault. */
export function parsePlanQuery(query: URLSearchParams): ReconcileRequest {
  const { clusterId: id = "mesh", confirm } = parse(PLAN_QUERY, Object.fromEntries(query));
  return planRequest(id, confirm);
}

/** `scope` is "mesh" or a cluster ID. */
export function planRequest(scopeOf: string, confirm?: Confirmable): ReconcileRequest {
  return { ...requestOf(scopeOf, confirm), reason: "plan" };
}

/** The request of the page's button: as `POST /sync` with the same scope. */
export function syncRequest({ scope: name, leaving = [] }: ActionForm): ReconcileRequest {
  return { ...requestOf(name, undefined), leaving, reason: "sync", rollOut: true };
}

/** Fails with InputError, which names the parameter at fault. */
export function parsePageQuery(query: URLSearchParams): PageQuery {
  return parse(PAGE_QUERY, Object.fromEntries(query));
}

/** Fails with InputError if it is no form. */
export function parseForm(body: Buffer, contentType: string | undefined): URLSearchParams {
  checkContentType(contentType, "application/x-www-form-urlencoded");
  return new URLSearchParams(body.toString("utf8"));
}

/** Fails with InputError, which names the first field at fault. */
export function parseAction(form: URLSearchParams): ActionForm {
  const { csrf: _, ...fields } = Object.fromEntries(form);
  return parse(ACTION_FORM, fields);
}

function requestOf(name: string, confirm: Confirmable | undefined): Omit<ReconcileRequest, "reason"> {
  return {
    scope: name === "mesh" ? "mesh" : { clusterId: name },
    confirm: confirm === undefined ? [] : [confirm],
  };
}
