import { setTimeout as sleep } from "node:timers/promises";

/** A proxy, and the address of a pod that it cannot reach and so must never be given. */
export interface Watched {
  /** `GET /clusters` of its Envoy. */
  readonly url: string;
  /** `address:port` */
  readonly address: string;
}

export interface RawAddresses {
  /** Looks so far that have found such an address. */
  count(): number;
  stop(): Promise<void>;
}

const LOOK_MS = 200;

/** Looks at what proxies have been given, from now on until it is stopped. */
export function watchRawAddresses(watched: readonly Watched[]): RawAddresses {
  const ended = new AbortController();
  let count = 0;
  const look = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const seen = await Promise.all(watched.map((each) => holds(each)));
      count += seen.filter(Boolean).length;
      await sleep(LOOK_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const looking = watched.length === 0 ? Promise.resolve() : look();
  return {
    count: () => count,
    async stop() {
      ended.abort();
      await looking;
    },
  };
}

/** Of outbound clusters alone: Envoy has the addresses of its own listeners, too. */
async function holds({ url, address }: Watched): Promise<boolean> {
  try {
    const text = await (await fetch(url)).text();
    return text.split("\n").some((line) => line.startsWith("outbound|") && line.includes(`::${address}::`));
  } catch {
    return false;
  }
}
