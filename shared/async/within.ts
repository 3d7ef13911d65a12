/** The signal, or the end of the time from now on, whichever comes first; no time given is as long as the signal allows. */
export function within(signal: AbortSignal, milliseconds: number | undefined): AbortSignal {
  return milliseconds === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
}
