import type { StoredRecord } from '@eddy/log'
import {
  featureVectorCodec,
  lineageCodec,
  type Snapshot,
  type StatisticsMessage,
  snapshotCodec,
  statisticsCodec,
} from '@eddy/messages'
import { type ModelSpecification, squaredSum } from '@eddy/mixture'
import { createLogger } from '@eddy/runtime'
import { localEStep } from '@eddy/threads'
import { describe, expect, it } from 'vitest'
import type { LearnedEvents } from './learned-events.ts'
import { MiniBatch } from './mini-batch.ts'
import { revise } from './revise.ts'
import { delivery, featureRecords, learnedFrom, published, schema, warmedUp } from './testing.ts'
import { Updater } from './updater.ts'

/** The segment around 0 alone for 300 events, then both. */
function lateRecords(): StoredRecord[] {
  const all = featureRecords(1600)
  const low = ({ value }: StoredRecord) => featureVectorCodec.decode(value as Uint8Array).features.every(x => x < 2.5)
  const first = all.filter(low).slice(0, 300)
  return [...first, ...all.filter(record => !first.includes(record))].map((record, offset) => ({ ...record, offset }))
}

const records = lateRecords()
const first = await warmedUp(records)

async function statisticsOf(snapshot: Snapshot, from: number, to: number): Promise<StatisticsMessage> {
  const batch = new MiniBatch(0, from, to - from, schema)
  batch.take(delivery(records.slice(from, to)), 0)
  const { block, weights } = batch.contents()
  return {
    model: 'test',
    snapshotVersion: snapshot.version,
    partition: 0,
    from,
    to,
    events: to - from,
    offsetsHash: batch.offsetsHash(),
    squaredWeight: squaredSum(weights, block.rows),
    ...(await localEStep()(snapshot, block, weights)),
  }
}

/** Learns batches of 25 up to `until`; each under the newest snapshot, or with the snapshots of another run. */
async function learn(until: number, under?: readonly Snapshot[]) {
  const updater = new Updater(
    {
      model: 'test',
      foldsPerSnapshot: 1,
      maxRecordBytes: 1_000_000,
      topics: { snapshots: 'snapshots', lineage: 'lineage' },
      seed: 1,
      start: async () => 0,
      onGap: 'fail',
      events: learnedFrom(records),
      now: () => 0,
      logger: createLogger('silent'),
    },
    first,
  )
  const snapshots = [first]
  const lineage: { kind: string; parents: readonly string[]; children: readonly string[] }[] = []
  for (let from = 200, offset = 0; from < until; from += 25, offset++) {
    const message = await statisticsOf((under ?? snapshots)[under ? 0 : offset]!, from, from + 25)
    const stored = { offset, key: null, value: statisticsCodec.encode(message), headers: {}, timestamp: 0 }
    const emission = await updater.fold(delivery([stored], { topic: 'statistics' }))
    snapshots.push(snapshotCodec.decode(published(emission, 'snapshots').at(-1)!))
    for (const value of published(emission, 'lineage')) {
      const { kind, parents, children } = lineageCodec.decode(value)
      lineage.push({ kind, parents, children })
    }
  }
  return { snapshots, lineage }
}

describe('revise', () => {
  const late: Snapshot = { ...first, ledger: [{ partition: 0, next: 1600, events: 1600n, offsetsHash: 0n }] }

  it('never gives an id again, also after a snapshot that did not count segments', async () => {
    // One of the two has all events: one that is learned anew is nobody's.
    const means = late.parameters.means!.map((x, i) => (i < 2 ? x : 1000))
    const lopsided = { ...late, parameters: { ...late.parameters, means } }
    const idsOf = async (segmentsBorn: number) =>
      (await revise({ ...lopsided, segmentsBorn }, { events: learnedFrom(records), seed: 1 }))!.changed!.born
    expect(await idsOf(7)).toEqual(['s8'])
    expect(await idsOf(0)).toEqual(['s3'])
  })

  it('counts as evidence what events are that weigh differently, as Kish does', async () => {
    const { newest, visit } = learnedFrom(records)
    const weighted: LearnedEvents = {
      newest,
      visit: (ranges, see) =>
        visit(ranges, (block, weights) =>
          see(
            block,
            weights.map((_, n) => (n % 2 === 0 ? 1 : 3)),
          ),
        ),
    }
    const { snapshot, changed } = (await revise(late, { events: weighted, seed: 1 }))!
    expect(changed).toBeDefined()
    // 1,600 events of weight 1 or 3: (2 · 1600)² / (5 · 1600).
    expect([snapshot.weight, snapshot.effectiveSampleSize]).toEqual([3200, 1280])
  })

  it('looks back two half-lives, no further', async () => {
    const specification = JSON.parse(first.specification) as ModelSpecification
    const { stepSize } = specification
    const forgetful = { ...specification, stepSize: { ...stepSize, halfLife: 450 } }
    const events = { seed: 1, events: learnedFrom(records) }
    const { snapshot } = (await revise({ ...late, specification: JSON.stringify(forgetful) }, events))!
    expect(snapshot.weight).toBe(900)
    expect((await revise(late, events))!.snapshot.weight).toBe(1600)
  })
})

describe('an updater whose events are explained worse than expected', () => {
  it('learns the components anew, gives them the statistics of all events, and says which segments came and went', async () => {
    const { snapshots, lineage } = await learn(1600)
    const revised = snapshots.find(({ segments }) => segments.some(({ id }) => id === 's3'))!
    expect(revised.epoch).toBe(revised.version)
    expect(revised).toMatchObject({ surprise: 0, segmentsBorn: 3, weight: revised.ledger[0]!.next })
    expect(revised.effectiveSampleSize).toBe(revised.weight)
    expect(revised.judgedWeight).toBe(revised.weight)
    expect(lineage).toEqual([
      { kind: 'death', parents: [expect.stringMatching(/^s[12]$/)], children: [] },
      { kind: 'birth', parents: [], children: ['s3'] },
    ])
    const last = snapshots.at(-1)!
    const { weights, means, transformCentre, transformScale } = last.parameters as Record<string, Float64Array>
    const centre = (k: number) => means![2 * k]! * transformScale![0]! + transformCentre![0]!
    const late = last.segments.findIndex(({ id }) => id === 's3')
    const share = records.filter(
      ({ value }) => featureVectorCodec.decode(value as Uint8Array).features.reduce((a, b) => a + b) > 5,
    ).length
    expect(centre(late)).toBeCloseTo(5, 0)
    expect(centre(1 - late)).toBeCloseTo(0, 0)
    expect(weights![late]!).toBeCloseTo(share / 1600, 2)
  })

  it('leads to the same bytes again', async () => {
    const [once, again] = [await learn(1000), await learn(1000)]
    expect(again.snapshots.map(snapshot => snapshotCodec.encode(snapshot))).toEqual(
      once.snapshots.map(snapshot => snapshotCodec.encode(snapshot)),
    )
  })

  it('does the E-step of a range again that was done under the components before', async () => {
    const { snapshots } = await learn(1600)
    const revised = snapshots.findIndex((snapshot, i) => i > 0 && snapshot.epoch === snapshot.version)
    // Every range comes with the statistics of the first model's components, also after they were replaced.
    const stale = await learn(1600, [first])
    const replaced = stale.snapshots.findIndex((snapshot, i) => i > 0 && snapshot.epoch === snapshot.version)
    expect([revised, replaced].every(i => i > 0)).toBe(true)
    const last = stale.snapshots.at(-1)!
    expect(last.ledger).toEqual(snapshots.at(-1)!.ledger)
    const shares = ({ parameters }: Snapshot) => [...parameters.weights!].toSorted((a, b) => a - b)
    for (const [k, share] of shares(last).entries()) expect(share).toBeCloseTo(shares(snapshots.at(-1)!)[k]!, 2)
  })
})
