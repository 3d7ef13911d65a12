/** Messages that were published and neither acknowledged nor put aside. */
export interface Undelivered {
  /** Counts a message from the call on; the server may answer and deliver in any order. */
  publishing(publish: () => Promise<string>): Promise<void>;
  settled(messageId: string): void;
  count(): number;
}

export function createUndelivered(): Undelivered {
  const open = new Set<string>();
  const settled = new Set<string>();
  let publishing = 0;
  return {
    async publishing(publish) {
      publishing += 1;
      try {
        const id = await publish();
        if (!settled.has(id)) open.add(id);
      } finally {
        publishing -= 1;
      }
    },
    settled(messageId) {
      settled.add(messageId);
      open.delete(messageId);
    },
    count: () => publishing + open.size,
  };
}
