import type { BlockSchema } from "../schema.ts";
import type { Value } from "./values.ts";

/**
 * Arguments that say which object is meant: another value means another object. So the provider has them, in
 * every type of the modules.
 */
const IDENTITY = [
  "account_id",
  "bucket",
  "folder",
  "location",
  "name",
  "network",
  "org_id",
  "project",
  "region",
  "repository_id",
  "role_id",
  "secret_id",
  "service",
  "service_account_id",
  "subscription",
];

/**
 * As the provider's documentation has it: "changing this forces a new resource to be created". Of grants,
 * all.
 */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  google_artifact_registry_repository: ["format", "mode", "remote_repository_config"],
  google_eventarc_trigger: ["matching_criteria"],
  google_pubsub_subscription: ["topic"],
  google_secret_manager_secret: ["replication"],
  google_storage_bucket_object: ["source"],
  time_sleep: ["triggers"],
};

/** What of a change no update can do: with it, Terraform destroys what there is, and makes another. */
export function replacingChanges(type: string, schema: BlockSchema, before: Value, after: Value): string[] {
  const isGrant = type.endsWith("_iam_member");
  const isFixed = (name: string) =>
    isGrant ||
    FIXED[type]?.includes(name) === true ||
    (IDENTITY.includes(name) && type !== "google_monitoring_notification_channel");
  const settable = Object.entries(schema.attributes)
    .filter(([, attribute]) => !attribute.startsWith("computed"))
    .map(([name]) => name);
  return [...settable, ...Object.keys(schema.blocks)].filter(
    (name) => isFixed(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}
