import type { Label } from '@eddy/messages'

/** A label as people and scripts read it: NDJSON of `GET /v1/labels` and `eddy tail`. */
export const labelJson = (label: Label): object => ({
  customer: label.customer,
  time: new Date(label.time).toISOString(),
  segment: label.segment,
  posterior: [...label.posterior],
  logDensity: label.logDensity,
  model: label.model,
  snapshot: Number(label.snapshotVersion),
  provisional: label.provisional,
  source: { partition: label.sourcePartition, offset: label.sourceOffset },
})
