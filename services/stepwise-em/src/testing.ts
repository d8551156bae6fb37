import type { Delivery, StoredRecord } from '@eddy/log'
import { featureSchema, featureVectorCodec, type Snapshot, snapshotCodec } from '@eddy/messages'
import { type Block, createSpecification, type ModelSpecification, random, standardNormal } from '@eddy/mixture'
import { createLogger, type Emission } from '@eddy/runtime'
import { firstValueFrom, of } from 'rxjs'
import type { LearnedEvents } from './learned-events.ts'
import { MiniBatch } from './mini-batch.ts'
import { warmUpStage } from './warm-up.ts'

/** Two well-separated segments in two features. */
export const specification: ModelSpecification = createSpecification({
  features: ['x', 'y'],
  components: 2,
  warmUp: { events: 200, restarts: 2, iterations: 5 },
})

/** What vectors of these features are. */
export const schema = featureSchema(specification.features)

/** Records of `count` feature vectors from offset 0 on, the same for the same seed. */
export function featureRecords(count: number, seed = 1): StoredRecord[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, offset) => {
    const centre = next() < 0.4 ? 0 : 5
    const features = Float64Array.of(centre + standardNormal(next), centre + standardNormal(next))
    const value = featureVectorCodec.encode({ customer: `c${offset}`, time: offset, weight: 1, features })
    return { offset, key: null, value, headers: {}, timestamp: offset }
  })
}

/** The features of as many of these records. */
export function featureBlock(count: number, seed = 1): Block {
  const values = new Float64Array(count * 2)
  for (const [n, { value }] of featureRecords(count, seed).entries())
    values.set(featureVectorCodec.decode(value as Uint8Array).features, 2 * n)
  return { rows: count, columns: 2, values }
}

/** A delivery of some records; `acknowledged` tells whether it was. */
export function delivery(
  records: readonly StoredRecord[],
  options: Partial<Delivery> = {},
): Delivery & { acknowledged: boolean } {
  const made = {
    topic: 'features',
    partition: 0,
    records,
    nextOffset: (records.at(-1)?.offset ?? -1) + 1,
    endOffset: (records.at(-1)?.offset ?? -1) + 1,
    ...options,
    acknowledged: false,
    ack: () => {
      made.acknowledged = true
    },
  }
  return made
}

/** These records as the learned events of partition 0. */
export function learnedFrom(records: readonly StoredRecord[]): LearnedEvents {
  return {
    newest: async (ledger, most) =>
      [...ledger.values()].map(({ partition, next }) => ({ partition, from: Math.max(0, next - most), to: next })),
    visit: async (ranges, visit) => {
      for (const { from, to } of ranges) {
        const batch = new MiniBatch(0, from, to - from, schema)
        batch.take(delivery(records.slice(from, to)), 0)
        const { block, weights } = batch.contents()
        visit(block, weights)
      }
    },
  }
}

/** The values an emission publishes to a topic. */
export function published(emission: Emission, topic: string): Uint8Array[] {
  return emission.publications
    .filter(publication => publication.topic === topic)
    .flatMap(({ records }) => records.map(({ value }) => value as Uint8Array))
}

/** The first snapshot, learned from the first 200 of the records. */
export async function warmedUp(records: readonly StoredRecord[]): Promise<Snapshot> {
  const options = {
    model: 'test',
    specification,
    events: 200,
    seed: 1,
    maxRecordBytes: 1_000_000,
    topics: { snapshots: 'snapshots', lineage: 'lineage' },
    now: () => 0,
    logger: createLogger('silent'),
  }
  const inputs = { features: of(delivery(records)), ends: of(), pauses: of(), waiting: async () => false }
  const emission = await firstValueFrom(warmUpStage(options, inputs))
  return snapshotCodec.decode(published(emission, 'snapshots')[0] as Uint8Array)
}
