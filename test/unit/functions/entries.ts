import { readFileSync } from "node:fs";

export type AuditEntry = {
  operation?: Record<string, unknown>;
  protoPayload?: Record<string, unknown>;
  resource?: { labels?: Record<string, unknown> };
};

/**
 * An entry as Cloud Logging hands it on, from `test/support/fixtures/audit-log`; a copy of its own every
 * time.
 */
export function anEntry(name: string): AuditEntry {
  const file = new URL(`../../support/fixtures/audit-log/${name}.json`, import.meta.url);
  const parsed: AuditEntry = JSON.parse(readFileSync(file, "utf8"));
  return parsed;
}

/** As a Log Router sink publishes it, and Pub/Sub wraps it. */
export function pushed(entry: unknown): object {
  return {
    message: {
      data: Buffer.from(JSON.stringify(entry)).toString("base64"),
      messageId: "4711",
      publishTime: "2026-03-01T12:00:01Z",
      attributes: { "logging.googleapis.com/timestamp": "2026-03-01T12:00:00Z" },
    },
    subscription: "projects/shop-prod/subscriptions/meshjoin",
  };
}

export const PUBSUB_TYPE = "google.cloud.pubsub.topic.v1.messagePublished";
export const AUDIT_TYPE = "google.cloud.audit.log.v1.written";
