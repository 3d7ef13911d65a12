import * as z from "zod/mini";
import { rootSecretName } from "../../shared/core/names.ts";
import type { Scope } from "../../shared/core/request.ts";
import { InputError } from "../../shared/errors.ts";
import {
  ROOT_ACTIONS,
  ROOT_CONFIRMABLE,
  type RootAction,
  type RootConfirmable,
} from "../../shared/rotate/rotate.ts";
import type { TopicMessage } from "../event/envelope.ts";
import { clusterIdSchema, fieldOf, scopeSchema } from "../input/parse.ts";

const REASONS = ["scheduled", "manual", "compromise"] as const;

/** The content of a message on the rotation topic. */
export type RotationRequest =
  | { readonly kind: "tick" }
  | { readonly kind: "intermediate"; readonly scope: Scope; readonly reason: (typeof REASONS)[number] }
  | {
      readonly kind: "root";
      readonly action: RootAction;
      readonly without?: readonly string[] | undefined;
      readonly confirm?: readonly RootConfirmable[] | undefined;
    }
  /** Secret Manager's rotation schedule. */
  | { readonly kind: "schedule" }
  /** The root secret has changed: start a full run. */
  | { readonly kind: "look" }
  | { readonly kind: "ignored"; readonly reason: string };

const MESSAGE = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("tick") }),
    z.strictObject({
      kind: z.literal("intermediate"),
      scope: scopeSchema,
      reason: z.enum(REASONS, `use ${REASONS.join(", ")}`),
    }),
    z.strictObject({
      kind: z.literal("root"),
      action: z.enum(ROOT_ACTIONS, `use ${ROOT_ACTIONS.join(", ")}`),
      without: z.optional(z.array(clusterIdSchema, "use a list of cluster IDs")),
      confirm: z.optional(
        z.array(z.enum(ROOT_CONFIRMABLE, `use ${ROOT_CONFIRMABLE.join(", ")}`), "use a list of reasons"),
      ),
    }),
  ],
  "use tick, intermediate, root",
);

/**
 * Parses a message of the rotation topic: an order as JSON, or a notification of Secret Manager, whose type
 * is in its attributes (https://cloud.google.com/secret-manager/docs/event-notifications). Fails with
 * InputError, which names the field.
 */
export function parseRotationMessage(message: TopicMessage, meshId: string): RotationRequest {
  const { eventType, secretId = "" } = message.attributes;
  if (eventType !== undefined) {
    if (secretId.split("/").at(-1) !== rootSecretName(meshId))
      return { kind: "ignored", reason: "OtherSecret" };
    return eventType === "SECRET_ROTATE" ? { kind: "schedule" } : { kind: "look" };
  }
  const parsed = MESSAGE.safeParse(parseJson(message.data));
  if (parsed.success) {
    const request = parsed.data;
    if (request.kind !== "root" || request.action === "advance") return request;
    const field = (["without", "confirm"] as const).find((each) => request[each] !== undefined);
    if (field !== undefined) throw notUnderstood(field, "only action advance takes it", "remove it");
    return request;
  }
  const [issue] = parsed.error.issues;
  const { field, isUnknown } = fieldOf(issue);
  if (isUnknown) throw notUnderstood(field, "it is unknown", "remove it");
  throw notUnderstood(field || "data", "it is wrong", issue?.message ?? "correct it");
}

const EXAMPLE = 'send JSON like {"kind":"tick"}';

function parseJson(text: string): unknown {
  if (text === "") throw notUnderstood("data", "it is empty", EXAMPLE);
  try {
    return JSON.parse(text);
  } catch {
    throw notUnderstood("data", "it is not JSON", EXAMPLE);
  }
}

function notUnderstood(field: string, why: string, cure: string): InputError {
  return new InputError(`${field} of the message cannot be understood: ${why}`, {
    code: "MessageNotUnderstood",
    cure,
    field,
    fields: { field },
  });
}
