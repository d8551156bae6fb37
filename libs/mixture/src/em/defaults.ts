/**
 * What a model that is learned from a stream is learned with unless something else is said: in this library, on the command line and in
 * the services. The step size is that of the mean of all events, the warm-up's included: from a good start it is as good as an iteration
 * of batch EM or better (docs/one-pass.md); a smaller exponent forgets a bad start faster, and keeps more noise.
 */
export const DEFAULTS = {
  stepSize: { exponent: 1, offset: 0 },
  /** events an update */
  batchSize: 1024,
  warmUp: { events: 4096, initialisation: 'auto', restarts: 20, iterations: 100 },
} as const
