import { type Body, type Resource, textOf } from "./module.ts";

/** What Google would decide, where something reads it and is particular about its form. Templates, as in hcl2json. */
const DECIDED: Readonly<Record<string, (body: Body) => Body>> = {
  google_cloudfunctions2_function: (body) => ({
    service_config: [{ uri: `https://${textOf(body["name"])}-abc.run.app` }],
  }),
  google_monitoring_notification_channel: (body) => ({
    name: `projects/${textOf(body["project"])}/notificationChannels/1`,
  }),
  google_project: () => ({ number: "123456789012" }),
  google_project_iam_custom_role: (body) => ({
    name: `projects/${textOf(body["project"])}/roles/${textOf(body["role_id"])}`,
  }),
  google_pubsub_topic: (body) => ({
    id: `projects/${textOf(body["project"])}/topics/${textOf(body["name"])}`,
  }),
  google_secret_manager_secret: (body) => ({
    id: `projects/${textOf(body["project"])}/secrets/${textOf(body["secret_id"])}`,
  }),
  google_service_account: (body) => {
    const email = `${textOf(body["account_id"])}@${textOf(body["project"])}.iam.gserviceaccount.com`;
    return {
      email,
      id: `projects/${textOf(body["project"])}/serviceAccounts/${email}`,
      member: `serviceAccount:${email}`,
    };
  },
  google_vpc_access_connector: (body) => ({
    id: `projects/${textOf(body["project"])}/locations/${textOf(body["region"])}/connectors/${textOf(body["name"])}`,
  }),
};

export function computedOf({ type, body }: Resource): Body {
  return DECIDED[type]?.(body) ?? {};
}
