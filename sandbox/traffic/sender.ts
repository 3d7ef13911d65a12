import type { Answer } from "./request.ts";

/** The result of one request. It is final: the sender does not try again. */
export interface Result {
  /** When it was sent; RFC 3339. */
  readonly time: string;
  readonly ms: number;
  /** 0 if there was no answer. */
  readonly status: number;
  /** Undefined for a success. */
  readonly failure?: string;
}

export interface SenderOptions {
  readonly send: () => Promise<Answer>;
  readonly perSecond: number;
  readonly onResult: (result: Result) => void;
}

export interface Sender {
  /** Resolves when every request that is on its way has its result. */
  stop(): Promise<void>;
}

const OK = 200;
const FAILURE_CHARACTERS = 200;

async function resultOf(send: () => Promise<Answer>): Promise<Result> {
  const started = Date.now();
  const begun = () => ({ time: new Date(started).toISOString(), ms: Date.now() - started });
  try {
    const { status, body } = await send();
    if (status === OK) return { ...begun(), status };
    return { ...begun(), status, failure: body.slice(0, FAILURE_CHARACTERS) };
  } catch (error) {
    return { ...begun(), status: 0, failure: String(error).slice(0, FAILURE_CHARACTERS) };
  }
}

/** Sends at a fixed pace, whether answers come or not. The pace is nominal: a busy machine sends less. */
export function startSender({ send, perSecond, onResult }: SenderOptions): Sender {
  const underWay = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const sending = resultOf(send).then(onResult);
    underWay.add(sending);
    void sending.finally(() => underWay.delete(sending));
  }, 1000 / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
