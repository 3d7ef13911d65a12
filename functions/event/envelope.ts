import { isRecord } from "../../shared/is-record.ts";

/** The parts of a CloudEvent that carry a log entry, as the Functions Framework hands it over. */
export interface Envelope {
  readonly id?: string;
  readonly type?: string;
  readonly data?: unknown;
  /** The header of the request that delivered it, which the framework puts on the event. */
  readonly traceparent?: unknown;
}

const PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished";

/**
 * The log entry in an event: as Eventarc sends it (the entry is the data, in binary or structured mode) or as a Log
 * Router sink does (its JSON, base64, in a Pub/Sub message). `undefined` when there is none to be read.
 */
export function openEnvelope({ type, data }: Envelope): unknown {
  const body = parseJson(data);
  if (type !== PUBSUB) return body;
  const message = isRecord(body) ? body["message"] : undefined;
  const encoded = isRecord(message) ? message["data"] : undefined;
  return typeof encoded === "string" ? parseJson(Buffer.from(encoded, "base64")) : undefined;
}

/** What a topic delivers; `data` is the text of the message. */
export interface TopicMessage {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: string;
  /** Of the message itself: a redelivery carries the same. */
  readonly publishedAt: Date;
}

/** The message in a Pub/Sub event; undefined where there is none, or it does not say when it was published. */
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
