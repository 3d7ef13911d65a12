import { readFile } from "node:fs/promises";
import { z } from "zod";

const eventSchema = z.object({
  auditID: z.string(),
  requestReceivedTimestamp: z.string(),
  user: z.object({ username: z.string().optional() }),
  sourceIPs: z.array(z.string()).optional(),
  objectRef: z.object({ subresource: z.string().optional() }).optional(),
});
type AuditEvent = z.infer<typeof eventSchema>;

/**
 * How many requests of a user a kube-apiserver has answered since a Unix time in milliseconds, by its audit
 * log.
 */
export async function countClusterRequests(auditLogPath: string, user: string, sinceMs = 0): Promise<number> {
  const events = await readEvents(auditLogPath, user, sinceMs);
  return new Set(events.map(({ auditID }) => auditID)).size;
}

/** A connection is one TLS handshake. */
export interface ClusterConnections {
  /** Those that carried anything but a port-forward. */
  readonly forRequests: number;
  /** WebSockets: each port-forward has one to itself. */
  readonly forPortForwards: number;
}

/**
 * Over how many connections those requests came: the proxy gives each an address of its own, which the audit
 * log notes. On Linux only; elsewhere all have the same.
 */
export async function countClusterConnections(
  auditLogPath: string,
  user: string,
  sinceMs = 0,
): Promise<ClusterConnections> {
  const events = await readEvents(auditLogPath, user, sinceMs);
  const isForward = ({ objectRef }: AuditEvent) => objectRef?.subresource === "portforward";
  const sources = (some: readonly AuditEvent[]) =>
    new Set(some.map(({ sourceIPs }) => sourceIPs?.at(-1))).size;
  return {
    forRequests: sources(events.filter((event) => !isForward(event))),
    forPortForwards: sources(events.filter(isForward)),
  };
}

/** A long request is there twice, when it begins and when it ends. */
async function readEvents(auditLogPath: string, user: string, sinceMs: number): Promise<AuditEvent[]> {
  const text = await readFile(auditLogPath, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const event = parseEvent(line);
    const counts = event?.user.username === user && Date.parse(event.requestReceivedTimestamp) >= sinceMs;
    return counts ? [event] : [];
  });
}

/** The last line may be half written. */
function parseEvent(line: string): AuditEvent | undefined {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
