/** Aborts with the signal or after the time, whichever comes first; without a time, with the signal alone. */
export function within(signal: AbortSignal, milliseconds: number | undefined): AbortSignal {
  return milliseconds === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
}
