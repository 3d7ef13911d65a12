import type { BlockSchema } from "../schema.ts";
import { text, UNKNOWN, type Value, withAttributes } from "./values.ts";

const inProject = (path: (resource: Value) => string) => (resource: Value) =>
  `projects/${text(resource["project"])}/${path(resource)}`;
const email = ({ account_id: account, project }: Value) =>
  `${text(account)}@${text(project)}.iam.gserviceaccount.com`;

/**
 * What Google decides, in its form, where an expression or another resource is particular about that. By type
 * and attribute.
 */
const DECIDED: Readonly<Record<string, Readonly<Record<string, (resource: Value) => string>>>> = {
  google_cloudfunctions2_function: { uri: ({ name }) => `https://${text(name)}-abc.run.app` },
  google_monitoring_notification_channel: { name: inProject(() => "notificationChannels/1") },
  google_project: { number: () => "123456789012" },
  google_project_iam_custom_role: { name: inProject(({ role_id: role }) => `roles/${text(role)}`) },
  google_pubsub_topic: { id: inProject(({ name }) => `topics/${text(name)}`) },
  google_secret_manager_secret: { id: inProject(({ secret_id: secret }) => `secrets/${text(secret)}`) },
  google_service_account: {
    email,
    id: inProject((account) => `serviceAccounts/${email(account)}`),
    member: (account) => `serviceAccount:${email(account)}`,
  },
  google_vpc_access_connector: {
    id: inProject(({ region, name }) => `locations/${text(region)}/connectors/${text(name)}`),
  },
};

/** Names of set attributes that the provider alone decides; Terraform itself lets them pass. */
export function unconfigurable(resource: Value, schema: BlockSchema): string[] {
  const found: string[] = [];
  withAttributes(resource, schema, (name, attribute, current) => {
    if (attribute.startsWith("computed") && current !== null) found.push(name);
    return current;
  });
  return found;
}

/** As planned before it exists: an attribute that the provider decides is unknown until it is applied. */
export function planned(resource: Value, schema: BlockSchema): Value {
  return withAttributes(resource, schema, (_, attribute, current) =>
    current === null && attribute.startsWith("computed") ? UNKNOWN : current,
  );
}

/** As applied: nothing is unknown any more. */
export function applied(type: string, resource: Value, schema: BlockSchema): Value {
  return withAttributes(resource, schema, (name, attribute, current) => {
    if (current !== UNKNOWN) return current;
    return DECIDED[type]?.[name]?.(resource) ?? (attribute.endsWith(" string") ? `(${name})` : null);
  });
}
