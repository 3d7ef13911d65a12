import { readFile } from "node:fs/promises";
import { z } from "zod";

const eventSchema = z.object({
  auditID: z.string(),
  requestReceivedTimestamp: z.string(),
  user: z.object({ username: z.string().optional() }),
});

/** How many requests of a user a kube-apiserver has answered since a Unix time in milliseconds, by its audit log. */
export async function countClusterRequests(auditLogPath: string, user: string, sinceMs = 0): Promise<number> {
  const text = await readFile(auditLogPath, "utf8").catch(() => "");
  const ids = new Set<string>();
  for (const line of text.split("\n")) {
    const event = parseEvent(line);
    if (event?.user.username === user && Date.parse(event.requestReceivedTimestamp) >= sinceMs) {
      ids.add(event.auditID);
    }
  }
  return ids.size;
}

/** The last line may be half written. */
function parseEvent(line: string): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
