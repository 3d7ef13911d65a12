/** Waits for work that cannot be cancelled itself, until the signal aborts; fails with its reason. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // After the abort the work goes on, and its failure must not end the process.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return await Promise.race([work, aborted]);
}
