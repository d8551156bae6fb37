/** Beyond this a square overflows within a batch; such a feature is a fault of its producer, not a measurement. */
export const largestMagnitude = 1e100
