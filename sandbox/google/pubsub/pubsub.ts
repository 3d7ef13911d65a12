import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CreateSubscriptionOptions,
  type Message,
  PubSub,
  type Subscription,
  type Topic,
} from "@google-cloud/pubsub";
import { OAuth2Client } from "google-auth-library";
import { type RunningProcess, startProcess } from "../../os/process.ts";
import type { FaultBoard } from "../faults/faults.ts";
import type { AuditEntry } from "../gke/audit-entry.ts";
import { DEAD_LETTER_SUBSCRIPTION, deadLetterAttributes } from "./dead-letter.ts";
import { type Delivery, deliver, type PushBody, SANDBOX_BACKOFF } from "./push.ts";
import { createUndelivered } from "./undelivered.ts";

export const CLUSTER_EVENTS = "cluster-events";
export const ROTATION = "rotation";
export const DEAD_LETTERS = "cluster-events-dead-letter";
const TOPICS = [CLUSTER_EVENTS, ROTATION, DEAD_LETTERS] as const;
export type TopicName = (typeof TOPICS)[number];

export interface PubSubOptions {
  readonly project: string;
  /** Path of the in-memory Pub/Sub server; it prints its address. */
  readonly binary: string;
  readonly logDir: string;
  /** `host:port` of an emulator that runs already, to use in its place. */
  readonly emulatorHost?: string;
  readonly faults: FaultBoard;
  readonly onDelivery?: (delivery: Delivery) => void;
  /** For what a person should see: dead letters. */
  readonly warn: (line: string) => void;
}

export interface SandboxPubSub {
  /** `host:port`, what `PUBSUB_EMULATOR_HOST` takes. */
  readonly host: string;
  /** The log sink: its filter is everything of GKE, so first entries and refusals arrive as well. */
  publishAuditEntry(entry: AuditEntry): Promise<void>;
  publish(topic: TopicName, data: object): Promise<void>;
  /** A push subscription: everything published to the topic from now on is POSTed to the function. */
  push(topic: TopicName, functionUrl: string): Promise<void>;
  /** How many messages no function has accepted yet; events that a fault holds back are not among them. */
  undelivered(): number;
  stop(): Promise<void>;
}

export async function startPubSub(options: PubSubOptions): Promise<SandboxPubSub> {
  const server = options.emulatorHost === undefined ? await startServer(options) : undefined;
  const host = options.emulatorHost ?? (await printedAddress(options.logDir)) ?? "";
  const authClient = new OAuth2Client();
  const client = new PubSub({
    projectId: options.project,
    apiEndpoint: host,
    emulatorMode: true,
    authClient,
  });
  const stopping = new AbortController();
  const subscriptions: Subscription[] = [];
  const topics = new Map<TopicName, Topic>();
  const pushed = new Set<TopicName>();
  const undelivered = createUndelivered();
  for (const name of TOPICS) topics.set(name, await ensureTopic(client, name));
  await ensureSubscription(client, DEAD_LETTERS, DEAD_LETTER_SUBSCRIPTION);

  const publish = async (name: TopicName, json: object, attributes: Record<string, string> = {}) => {
    const send = async () => (await topics.get(name)?.publishMessage({ json, attributes })) ?? "";
    await (pushed.has(name) ? undelivered.publishing(send) : send());
  };
  const giveUp = async (name: TopicName, { id, data, attributes, publishTime }: Message) => {
    const added = deadLetterAttributes({
      project: options.project,
      subscription: pushSubscription(name),
      publishTime,
      attempts: SANDBOX_BACKOFF.attempts,
    });
    await topics.get(DEAD_LETTERS)?.publishMessage({ data, attributes: { ...attributes, ...added } });
    options.warn(`message ${id} of ${name} was never accepted; it is on the topic ${DEAD_LETTERS} now`);
  };
  return {
    host,
    publish,
    undelivered: () => undelivered.count(),
    async publishAuditEntry(entry) {
      const delayMs = options.faults.take("gke", "delayEvents")?.delayMs;
      if (delayMs !== undefined) {
        await sleep(delayMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
        if (stopping.signal.aborted) return;
      }
      await publish(CLUSTER_EVENTS, entry, {
        "logging.googleapis.com/timestamp": String(entry["timestamp"]),
      });
    },
    async push(name, functionUrl) {
      const subscription = await ensureSubscription(client, name, pushSubscription(name), {
        ackDeadlineSeconds: 600,
      });
      const url = `${functionUrl}/projects/${options.project}/topics/${name}`;
      const pushOptions = {
        topic: name,
        url,
        signal: stopping.signal,
        onDelivery: options.onDelivery ?? (() => undefined),
      };
      subscription.on("error", (error) => options.warn(`pub/sub: ${error.message}`));
      subscription.on("message", (message: Message) => {
        const body = pushBody(subscription.name, message);
        handle(message, async () => {
          const twice =
            name === CLUSTER_EVENTS && options.faults.take("gke", "duplicateEvents") !== undefined;
          const delivered = await Promise.all(
            (twice ? [body, body] : [body]).map((copy) => deliver(copy, pushOptions)),
          );
          if (!delivered.every(Boolean)) await giveUp(name, message);
          undelivered.settled(message.id);
        });
      });
      subscriptions.push(subscription);
      pushed.add(name);
    },
    async stop() {
      stopping.abort();
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await client.close();
      await server?.stop();
    },
  };
}

function pushSubscription(topic: TopicName): string {
  return `${topic}-push`;
}

/** Acknowledged after it was delivered or put aside; while that takes time, the client keeps it leased. */
function handle(message: Message, work: () => Promise<void>): void {
  const settle = async () => {
    try {
      await work();
      message.ack();
    } catch {
      message.nack();
    }
  };
  void settle();
}

function pushBody(subscription: string, message: Message): PushBody {
  return {
    message: {
      data: message.data.toString("base64"),
      attributes: message.attributes,
      messageId: message.id,
      publishTime: message.publishTime.toISOString(),
    },
    subscription,
  };
}

async function startServer({ binary, logDir }: PubSubOptions): Promise<RunningProcess> {
  await rm(join(logDir, "pubsub.log"), { force: true });
  return startProcess({
    name: "pubsub",
    command: binary,
    logDir,
    ready: async () => (await printedAddress(logDir)) !== undefined,
  });
}

async function printedAddress(logDir: string): Promise<string | undefined> {
  const text = await readFile(join(logDir, "pubsub.log"), "utf8");
  return /^(?:127\.0\.0\.1|localhost|\[::1?\]):\d+$/m.exec(text)?.[0];
}

const ALREADY_EXISTS = 6;

/** An emulator that ran before may know the topic. */
async function ensureTopic(client: PubSub, name: string): Promise<Topic> {
  await client.createTopic(name).catch(ignoreExisting);
  return client.topic(name);
}

async function ensureSubscription(
  client: PubSub,
  topic: string,
  name: string,
  options: CreateSubscriptionOptions = {},
): Promise<Subscription> {
  await client.createSubscription(topic, name, options).catch(ignoreExisting);
  return client.subscription(name);
}

function ignoreExisting(error: unknown): void {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (code !== ALREADY_EXISTS) throw error;
}
