/** What clients have asked of one server, or of many together. */
export interface Usage {
  /** Port-forwards left out. */
  requests: number;
  portForwards: number;
  /** At the same time. */
  portForwardsMost: number;
  connectionsMost: number;
}

export interface UsageMeter {
  request(): void;
  /** Answers what ends it. */
  portForward(): () => void;
  connection(): () => void;
  /** Since the last call of this; connections and port-forwards that are open count on. */
  take(): Usage;
}

export function usageMeter(): UsageMeter {
  const usage: Usage = { requests: 0, portForwards: 0, portForwardsMost: 0, connectionsMost: 0 };
  const open = { portForwards: 0, connections: 0 };
  function begin(what: keyof typeof open): () => void {
    open[what] += 1;
    usage[`${what}Most`] = Math.max(usage[`${what}Most`], open[what]);
    return () => {
      open[what] -= 1;
    };
  }
  return {
    request() {
      usage.requests += 1;
    },
    portForward() {
      usage.portForwards += 1;
      return begin("portForwards");
    },
    connection: () => begin("connections"),
    take() {
      const taken = { ...usage };
      usage.requests = 0;
      usage.portForwards = 0;
      usage.portForwardsMost = open.portForwards;
      usage.connectionsMost = open.connections;
      return taken;
    },
  };
}
