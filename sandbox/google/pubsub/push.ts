import { setTimeout as sleep } from "node:timers/promises";

/** What a push subscription POSTs; https://cloud.google.com/pubsub/docs/push#receive_push */
export interface PushBody {
  readonly message: {
    /** Base64. */
    readonly data: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly messageId: string;
    readonly publishTime: string;
  };
  readonly subscription: string;
}

/** One attempt to deliver one message. */
export interface Delivery {
  readonly topic: string;
  readonly message: PushBody["message"];
  readonly attempt: number;
  /** Unix time in milliseconds at which the request was sent. */
  readonly at: number;
  readonly ms: number;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
}

export interface PushOptions {
  readonly topic: string;
  /** Ends in `/projects/P/topics/T`: functions-framework reads the topic from there. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly backoff?: Backoff;
}

export interface Backoff {
  readonly firstMs: number;
  readonly capMs: number;
  readonly attempts: number;
}

/** Shorter than the 10 s to 600 s that Terraform sets on the real subscriptions: people wait here. */
export const SANDBOX_BACKOFF: Backoff = { firstMs: 1000, capMs: 60_000, attempts: 20 };

/** The longest that Pub/Sub waits for an answer of a push endpoint. */
const ACK_DEADLINE_MS = 600_000;

/**
 * Delivers a message until it is acknowledged by a 2xx answer. `false` when all attempts are used up and it
 * belongs to the dead letters; rejects with an AbortError when the sandbox stops first.
 */
export async function deliver(body: PushBody, options: PushOptions): Promise<boolean> {
  const { firstMs, capMs, attempts } = options.backoff ?? SANDBOX_BACKOFF;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const at = Date.now();
    const status = await post(body, options);
    options.signal.throwIfAborted();
    const { topic } = options;
    options.onDelivery({
      topic,
      message: body.message,
      attempt,
      at,
      ms: Date.now() - at,
      status,
    });
    if (status >= 200 && status < 300) return true;
    if (attempt < attempts) {
      await sleep(Math.min(firstMs * 2 ** (attempt - 1), capMs), undefined, { signal: options.signal });
    }
  }
  return false;
}

async function post(body: PushBody, { url, signal }: PushOptions): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ACK_DEADLINE_MS)]),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
