import { isRetryable, NotReadyError } from "../errors.ts";
import type { IstiodProbe, IstiodSession } from "../ports/member-api.ts";

/** A limited number of port-forwards to all istiods. */
export interface PortForwardPool {
  /** The same probe. A closed session keeps its connection until another istiod needs the place. */
  of(probe: IstiodProbe): IstiodProbe;
  /** Closes the idle port-forwards. */
  close(): void;
}

/**
 * Opening a port-forward costs a TLS handshake and the kubelet's help, and a run asks each istiod several
 * times. So an idle one stays open; when a place is needed, the one that has been idle longest is closed.
 */
export function portForwardPool(limit: number): PortForwardPool {
  /** The longest idle first. */
  const idle = new Map<string, IstiodSession>();
  const waiting: (() => void)[] = [];
  let open = 0;

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    while (open >= limit) {
      const [oldest] = idle.keys();
      if (oldest !== undefined) evict(oldest);
      // oxlint-disable-next-line no-await-in-loop -- woken when a place may be free, which another may have taken by then
      else await nextPlace(signal);
    }
    if (signal?.aborted === true) {
      // Hands the place that it was woken for to the next.
      waiting.shift()?.();
      throw tooLate();
    }
    open += 1;
  }

  async function nextPlace(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw tooLate();
    await new Promise<void>((resolve, reject) => {
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        waiting.splice(waiting.indexOf(wake), 1);
        reject(tooLate());
      };
      signal?.addEventListener("abort", stop, { once: true });
      waiting.push(wake);
    });
  }

  function end(session: IstiodSession): void {
    session.close();
    open -= 1;
    waiting.shift()?.();
  }

  function evict(key: string): void {
    const session = idle.get(key);
    idle.delete(key);
    if (session !== undefined) end(session);
  }

  async function once<T>(session: () => IstiodSession, ask: Ask<T>, signal?: AbortSignal): Promise<T> {
    await enter(signal);
    const opened = session();
    try {
      return await ask(opened);
    } finally {
      end(opened);
    }
  }

  async function keeping<T>(key: string, session: IstiodSession, ask: Ask<T>): Promise<T> {
    try {
      const answer = await ask(session);
      if (idle.has(key) || waiting.length > 0) end(session);
      else idle.set(key, session);
      return answer;
    } catch (error) {
      end(session);
      throw error;
    }
  }

  async function reused<T>(key: string, make: () => IstiodSession, ask: Ask<T>, signal?: AbortSignal) {
    const session = idle.get(key);
    if (session !== undefined) {
      idle.delete(key);
      try {
        return await keeping(key, session, ask);
      } catch (error) {
        // The pod, and the connection with it, may be gone since the last look.
        if (!isRetryable(error) || signal?.aborted === true) throw error;
      }
    }
    await enter(signal);
    return await keeping(key, make(), ask);
  }

  let probes = 0;
  return {
    of(probe) {
      const number = probes;
      probes += 1;
      return {
        open: (pod) => ({
          remoteClusters: (signal) =>
            reused(
              `${number} ${pod}`,
              () => probe.open(pod),
              (session) => session.remoteClusters(signal),
              signal,
            ),
          servedChain: (signal) =>
            once(
              () => probe.open(pod),
              (session) => session.servedChain(signal),
              signal,
            ),
          close: () => undefined,
        }),
      };
    },
    close() {
      for (const key of idle.keys()) evict(key);
    },
  };
}

type Ask<T> = (session: IstiodSession) => Promise<T>;

function tooLate(): NotReadyError {
  return new NotReadyError("the time was over before an istiod could be asked", {
    code: "IstiodNotAsked",
  });
}
