import type { Parameters, Statistics } from '@eddy/mixture'

/** A validated event: what the model learns from and what is scored. Topic `eddy.features.v1`, key = customer. */
export interface FeatureVector {
  readonly customer: string
  /** event time, milliseconds since 1970-01-01 UTC */
  readonly time: number
  /** > 0, default 1 */
  readonly weight: number
  /** identity of the features' schema (`featureSchema`), u32; 0 or absent: not known, and they are read by position */
  readonly schema?: number
  /** shape (d), in the configuration's order; NaN where missing; a category is its index */
  readonly features: Float64Array
}

/** The E-step of one range of offsets of one partition under one snapshot. Topic `eddy.statistics.v1`. */
export interface StatisticsMessage {
  readonly model: string
  /** version of the snapshot whose parameters gave the responsibilities */
  readonly snapshotVersion: bigint
  readonly partition: number
  /** first offset of the range */
  readonly from: number
  /** offset after the range */
  readonly to: number
  /** events in the range (offsets may have gaps) */
  readonly events: number
  /** Σ hash(partition, offset) mod 2^64 over the range's events: see the ledger */
  readonly offsetsHash: bigint
  /** Σ of event weights */
  readonly weight: number
  /** Σ weight · log p(x), nats, under that snapshot, before learning (prequential) */
  readonly logLikelihood: number
  /** SUM over the range's events */
  readonly statistics: Statistics
  /** Σ of squared event weights; negative where it was not recorded: every event's weight is taken as 1 */
  readonly squaredWeight: number
}

/** What has been learned of one partition of the features topic. */
export interface LedgerEntry {
  readonly partition: number
  readonly next: number
  readonly events: bigint
  /** Σ hash(partition, offset) mod 2^64 over every learned event: independent of batch boundaries, so anyone can recompute it */
  readonly offsetsHash: bigint
  /** offsets below `next` that were gone from the topic before they could be learned; 0 if absent */
  readonly skipped?: number
}

/** A segment: a component with an identity for life. */
export interface Segment {
  readonly id: string
  /** snapshot version at which it was born */
  readonly since: bigint
}

/** A model snapshot: the only truth about what was learned. Topic `eddy.snapshots.v1`, compacted, key = model. */
export interface Snapshot {
  readonly model: string
  readonly version: bigint
  /** t, number of stepwise updates */
  readonly step: bigint
  /** wall clock, milliseconds since 1970-01-01 UTC; not part of the model's identity */
  readonly createdAt: number
  /** the model's form as JSON: families, features, transforms, step sizes, prior */
  readonly specification: string
  readonly parameters: Parameters
  /** mean per unit of weight */
  readonly statistics: Statistics
  readonly segments: readonly Segment[]
  readonly ledger: readonly LedgerEntry[]
  /** offset of the statistics topic after the last folded message */
  readonly statisticsOffset: number
  /** decayed prequential mean log-likelihood, nats per event; NaN before the first fold */
  readonly prequentialLogLikelihood: number
  /** decayed effective sample size, events */
  readonly effectiveSampleSize: number
  /** Σ of the weights of all events learned; negative where it was not recorded: `effectiveSampleSize` stands in for it */
  readonly weight: number
  /** learned from the first events while more are awaited: nothing of it is kept, and its ledger is empty */
  readonly provisional: boolean
  /** version of the snapshot with which the components were learned anew last: statistics under an older one are of other components */
  readonly epoch: bigint
  /** segment ids given so far; 0: as many as there are segments */
  readonly segmentsBorn: number
  /** what an event is expected to have before it is learned, nats */
  readonly expectedLogLikelihood: number
  /** by how much the events since the components were judged last fell short of that, nats; negative: not recorded */
  readonly surprise: number
  /** weight learned when the components were judged last */
  readonly judgedWeight: number
}

/** Topic `eddy.labels.v1`, key = customer. Exactly one an event. */
export interface Label {
  readonly customer: string
  readonly time: number
  readonly model: string
  readonly snapshotVersion: bigint
  /** id of the segment with the largest posterior */
  readonly segment: string
  /** ids in the order of `posterior` are those of the snapshot's segments */
  readonly posterior: Float64Array
  /** log p(x), nats, in the user's units */
  readonly logDensity: number
  readonly sourcePartition: number
  readonly sourceOffset: number
  /** given by a model of the first few events, before there were enough of them: the segment may mean something else later */
  readonly provisional: boolean
}

export type LineageKind = 'birth' | 'death' | 'split' | 'merge' | 'drift'

/** Something that happened to a segment. Topic `eddy.lineage.v1`, key = model. */
export interface LineageEvent {
  readonly model: string
  readonly snapshotVersion: bigint
  readonly kind: LineageKind
  readonly parents: readonly string[]
  readonly children: readonly string[]
  readonly time: number
}

/** An event that was refused, with everything needed to mend and retry it. Topic `eddy.dead-letters.v1`. */
export interface DeadLetter {
  /** Of one that was too large to be kept whole: bytes of the original's value. Its key and headers may be left out; the message says so. */
  readonly cutFrom?: number
  readonly reason: string
  readonly message: string
  readonly stage: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[]
}
