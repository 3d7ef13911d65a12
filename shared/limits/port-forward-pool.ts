import { isRetryable, NotReadyError } from "../errors.ts";
import type { IstiodProbe, ProbeSession, SidecarProbe } from "../ports/member-api.ts";

/** A limited number of port-forwards to all istiods and probes. */
export interface PortForwardPool {
  /** The same probe. A closed session keeps its connection until another istiod needs the place. */
  of(probe: IstiodProbe): IstiodProbe;
  /** The same for the probes of members. */
  ofProbe(probe: SidecarProbe): SidecarProbe;
  /** Closes the idle port-forwards. */
  close(): void;
}

/**
 * Opening a port-forward costs a TLS handshake and the kubelet's help, and a run asks each istiod several
 * times. So an idle one stays open; when a place is needed, the one that has been idle longest is closed.
 */
export function portForwardPool(limit: number): PortForwardPool {
  /** The longest idle first. */
  const idle = new Map<string, Closable>();
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

  function end(session: Closable): void {
    session.close();
    open -= 1;
    waiting.shift()?.();
  }

  function evict(key: string): void {
    const session = idle.get(key);
    idle.delete(key);
    if (session !== undefined) end(session);
  }

  async function once<S extends Closable, T>(
    session: () => S,
    ask: Ask<S, T>,
    signal?: AbortSignal,
  ): Promise<T> {
    await enter(signal);
    const opened = session();
    try {
      return await ask(opened);
    } finally {
      end(opened);
    }
  }

  async function keeping<S extends Closable, T>(key: string, session: S, ask: Ask<S, T>): Promise<T> {
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

  /** `key` is of sessions that `make` makes, and of no others. */
  async function reused<S extends Closable, T>(
    key: string,
    make: () => S,
    ask: Ask<S, T>,
    signal?: AbortSignal,
  ) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sessions of one key are of one kind
    const session = idle.get(key) as S | undefined;
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
          networkGateways: (signal) =>
            reused(
              `${number} ${pod}`,
              () => probe.open(pod),
              (session) => session.networkGateways(signal),
              signal,
            ),
          connectedProxies: (signal) =>
            reused(
              `${number} ${pod}`,
              () => probe.open(pod),
              (session) => session.connectedProxies(signal),
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
    ofProbe(probe) {
      const number = probes;
      probes += 1;
      return {
        open(pod) {
          const asked = async <T>(ask: Ask<ProbeSession, T>, signal?: AbortSignal) =>
            await reused(`${number} ${pod}`, () => probe.open(pod), ask, signal);
          return {
            ask: (targets, signal) => asked((session) => session.ask(targets, signal), signal),
            endpoints: (target, signal) => asked((session) => session.endpoints(target, signal), signal),
            close: () => undefined,
          };
        },
      };
    },
    close() {
      for (const key of idle.keys()) evict(key);
    },
  };
}

interface Closable {
  close(): void;
}

type Ask<S extends Closable, T> = (session: S) => Promise<T>;

function tooLate(): NotReadyError {
  return new NotReadyError("the time was over before an istiod could be asked", {
    code: "IstiodNotAsked",
  });
}
