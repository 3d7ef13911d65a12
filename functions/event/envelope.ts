import { isRecord } from "../../shared/is-record.ts";

/** The parts of a CloudEvent that carry a log entry, as the Functions Framework passes them. */
export interface Envelope {
  readonly id?: string;
  readonly type?: string;
  readonly data?: unknown;
  /** The header of the request that delivered the event; the framework puts it there. */
  readonly traceparent?: unknown;
}

const PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished";

/**
 * The log entry in an event: from Eventarc (the entry is the data, in binary or structured mode) or from a
 * Log Router sink (its JSON, base64, in a Pub/Sub message). Undefined if it cannot be read.
 */
export function openEnvelope({ type, data }: Envelope): unknown {
  const body = parseJson(data);
  if (type !== PUBSUB) return body;
  const message = isRecord(body) ? body["message"] : undefined;
  const encoded = isRecord(message) ? message["data"] : undefined;
  return typeof encoded === "string" ? parseJson(Buffer.from(encoded, "base64")) : undefined;
}

/** A message of a topic; `data` is its text. */
export interface TopicMessage {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: string;
  /** Of the message itself, so a redelivery has the same. */
  readonly publishedAt: Date;
}

/** The message in a Pub/Sub event; undefined if there is none, or it has no time of publication. */
export function openMessage({ type, data }: Envelope): TopicMessage | undefined {
  const body = type === PUBSUB ? parseJson(data) : undefined;
  const message = isRecord(body) ? body["message"] : undefined;
  if (!isRecord(message)) return undefined;
  const { data: encoded, attributes, publishTime } = message;
  const publishedAt = new Date(typeof publishTime === "string" ? publishTime : "");
  if (Number.isNaN(publishedAt.getTime())) return undefined;
  return {
    publishedAt,
    data: typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : "",
    attributes: isRecord(attributes) ? stringsOf(attributes) : {},
  };
}

function stringsOf(record: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])),
  );
}

function parseJson(data: unknown): unknown {
  if (typeof data !== "string" && !Buffer.isBuffer(data)) return data;
  try {
    return JSON.parse(data.toString());
  } catch {
    return undefined;
  }
}
