/** Aborts with the signal or after the time, at the earlier of the two; without a time, with the signal. */
export function within(signal: AbortSignal, milliseconds: number | undefined): AbortSignal {
  return milliseconds === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
}
