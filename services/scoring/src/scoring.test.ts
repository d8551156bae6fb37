import type { Delivery, StoredRecord } from '@eddy/log'
import { packed } from '@eddy/log/testing'
import { deadLetterFrom, featureSchema, featureVectorCodec, labelCodec, type Snapshot } from '@eddy/messages'
import { createMixture, createSpecification, random, scoreModel, standardNormal, warmUp } from '@eddy/mixture'
import type { Emission } from '@eddy/runtime'
import { BehaviorSubject, concat, firstValueFrom, lastValueFrom, NEVER, of, Subject, toArray } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { scoring } from './scoring.ts'

const specification = createSpecification({ features: [{ name: 'x', transform: 'log1p' }, 'y'], components: 2 })
const next = random(3)
const rows = 300
const values = Float64Array.from({ length: rows * 2 }, (_, i) => (i % 4 < 2 ? 1 : 9) + Math.abs(standardNormal(next)))
const block = { rows, columns: 2, values }
const { parameters, learned } = warmUp(specification, block, undefined, random(1))
const snapshot: Snapshot = {
  model: 'test',
  version: 7n,
  step: 0n,
  createdAt: 0,
  specification: JSON.stringify(specification),
  parameters,
  statistics: learned.statistics,
  segments: [
    { id: 'a', since: 1n },
    { id: 'b', since: 1n },
  ],
  ledger: [],
  statisticsOffset: 0,
  prequentialLogLikelihood: Number.NaN,
  effectiveSampleSize: 1,
  weight: 1,
  provisional: false,
  epoch: 1n,
  segmentsBorn: 2,
  expectedLogLikelihood: 0,
  surprise: 0,
  judgedWeight: 1,
}
const records: StoredRecord[] = Array.from({ length: rows }, (_, n) => ({
  offset: 10 + n,
  key: Buffer.from(`c${n}`),
  value: featureVectorCodec.encode({
    customer: `c${n}`,
    time: n,
    weight: 1,
    features: values.subarray(2 * n, 2 * n + 2),
  }),
  headers: n === 0 ? { traceparent: Buffer.from('00-1-2-01') } : {},
  timestamp: 5,
}))
const delivered: Delivery = { topic: 'features', partition: 3, records, nextOffset: 310, endOffset: 310, ack: () => {} }

const labelsOf = ({ publications }: Emission) =>
  publications.flatMap(({ records: out }) => out.map(({ value }) => labelCodec.decode(value as Uint8Array)))

describe('scoring', () => {
  it('labels every event with the posterior and log density of the model, in the partition it came from', async () => {
    const [emission] = await firstValueFrom(
      scoring(
        { topics: { labels: 'labels', deadLetters: 'dead-letters' } },
        new BehaviorSubject(snapshot),
      )(of(delivered)).pipe(toArray()),
    )
    const labels = labelsOf(emission as Emission)
    const scores = scoreModel({ specification, parameters }, block)
    expect(labels.length).toBe(rows)
    for (const [n, label] of labels.entries()) {
      expect([...label.posterior]).toEqual([...scores.posterior.subarray(2 * n, 2 * n + 2)])
      expect(label.logDensity).toBeCloseTo(scores.logDensity[n]!, 12)
      expect(label).toMatchObject({
        customer: `c${n}`,
        model: 'test',
        snapshotVersion: 7n,
        sourcePartition: 3,
        sourceOffset: 10 + n,
      })
      expect(label.segment).toBe(label.posterior[0]! >= label.posterior[1]! ? 'a' : 'b')
    }
    expect(emission?.publications[0]?.records.every(({ partition }) => partition === 3)).toBe(true)
    expect(emission?.publications[0]?.records[0]?.headers).toEqual({
      traceparent: Uint8Array.from(Buffer.from('00-1-2-01')),
    })
    expect(emission?.settles).toEqual([delivered])
    expect(createMixture(specification).inner.components).toBe(2)
  })

  it('gives an event between two segments to the first of them, however many there are', async () => {
    const five = { ...snapshot, segments: ['a', 'b', 'c', 'd', 'e'].map(id => ({ id, since: 1n })) }
    const rowsOf = [
      [0.2, 0.2, 0.2, 0.2, 0.2],
      [0.1, 0.4, 0.1, 0.4, 0],
      [0, 0, 0, 0.5, 0.5],
      [0.1, 0.1, 0.2, 0.2, 0.4],
    ]
    const stage = scoring(
      {
        topics: { labels: 'labels', deadLetters: 'dead-letters' },
        score: async (_, __, { posterior }) => {
          posterior.set(rowsOf.flat())
        },
      },
      new BehaviorSubject(five),
    )
    const emission = await firstValueFrom(stage(of({ ...delivered, records: records.slice(0, rowsOf.length) })))
    const labels = labelsOf(emission)
    expect(labels.map(({ posterior }) => [...posterior])).toEqual(rowsOf)
    expect(labels.map(({ segment }) => segment)).toEqual(['a', 'b', 'd', 'e'])
  })

  it('goes on with a newer model from the next delivery on: its version, segments and parameters', async () => {
    const newest = new BehaviorSubject(snapshot)
    const deliveries = new Subject<Delivery>()
    const emitted: Emission[] = []
    scoring(
      { topics: { labels: 'labels', deadLetters: 'dead-letters' } },
      newest,
    )(deliveries).subscribe(emission => emitted.push(emission))
    deliveries.next(delivered)
    await vi.waitFor(() => expect(emitted).toHaveLength(1))
    const swapped = { ...snapshot, version: 8n, segments: snapshot.segments.toReversed() }
    newest.next(swapped)
    deliveries.next(delivered)
    await vi.waitFor(() => expect(emitted).toHaveLength(2))
    const [before, after] = emitted.map(labelsOf)
    const told = (label: { segment: string; snapshotVersion: bigint }) => [label.snapshotVersion, label.segment]
    expect(after!.map(told)).toEqual(before!.map(({ segment }) => [8n, segment === 'a' ? 'b' : 'a']))
  })

  it('makes a vector of another schema a dead letter, as it came, and labels those around it', async () => {
    const swapped = featureSchema([...specification.features].reverse())
    const vector = { customer: 'c', time: 0, weight: 1, features: Float64Array.of(2, 2) }
    const value = featureVectorCodec.encode({ ...vector, schema: swapped.identity }).slice()
    const mixed = records.with(1, { ...records[1]!, value })
    const stage = scoring({ topics: { labels: 'labels', deadLetters: 'dead' } }, new BehaviorSubject(snapshot))
    const { publications } = await firstValueFrom(stage(of({ ...delivered, records: mixed })))
    const letters = publications
      .find(({ topic }) => topic === 'dead')!
      .records.map(letter => ({ headers: {}, ...letter }))
    expect(letters.map(({ key, value, headers }) => deadLetterFrom({ key, value, headers }))).toMatchObject([
      { reason: 'unfit', message: expect.stringContaining('schema: expected'), partition: 3, offset: 11, value },
    ])
    const labels = publications.find(({ topic }) => topic === 'labels')!.records
    expect(labels.map(({ value }) => labelCodec.decode(value!).sourceOffset)).toEqual(
      records.map(({ offset }) => offset).filter(offset => offset !== 11),
    )
  })

  it('says of each label whether its model is provisional', async () => {
    for (const provisional of [true, false]) {
      const stage = scoring(
        { topics: { labels: 'labels', deadLetters: 'dead-letters' } },
        new BehaviorSubject({ ...snapshot, provisional }),
      )
      const labels = labelsOf(await firstValueFrom(stage(of(delivered))))
      expect(labels.every(label => label.provisional === provisional)).toBe(true)
    }
  })

  it('labels records that are packed as it labels them apart', async () => {
    const stage = scoring({ topics: { labels: 'labels', deadLetters: 'dead-letters' } }, new BehaviorSubject(snapshot))
    const apart = records.map((record, n) => (n % 3 === 0 ? { ...record, key: null } : record))
    const together = packed(apart, 10)
    const [one, other] = await firstValueFrom(
      stage(of({ ...delivered, records: apart }, { ...delivered, records: together })).pipe(toArray()),
    )
    expect(other!.publications[0]!.records).toEqual(one!.publications[0]!.records)
    expect(other!.publications[0]!.records[3]!.key).toEqual(Uint8Array.from(Buffer.from('c3')))
  })

  it('ends, settling nothing, where the snapshots end before the first', async () => {
    const snapshots = new Subject<Snapshot>()
    const deliveries = concat(of(delivered), NEVER)
    const emitted = lastValueFrom(
      scoring({ topics: { labels: 'labels', deadLetters: 'dead-letters' } }, snapshots)(deliveries).pipe(toArray()),
    )
    snapshots.complete()
    expect(await emitted).toEqual([])
  })

  it('waits for the first snapshot', async () => {
    const snapshots = new Subject<Snapshot>()
    const emitted = firstValueFrom(
      scoring({ topics: { labels: 'labels', deadLetters: 'dead-letters' } }, snapshots)(of(delivered)),
    )
    let early = true
    emitted.then(() => {
      expect(early).toBe(false)
    })
    await new Promise(resolve => setImmediate(resolve))
    early = false
    snapshots.next(snapshot)
    expect(labelsOf(await emitted).length).toBe(rows)
  })

  it('takes nothing from the log before it has a model: what waits in hand could be erased meanwhile', async () => {
    const snapshots = new Subject<Snapshot>()
    const deliveries = new Subject<Delivery>()
    const stage = scoring({ topics: { labels: 'labels', deadLetters: 'dead-letters' } }, snapshots)(deliveries)
    const emitted = firstValueFrom(stage)
    expect(deliveries.observed).toBe(false)
    snapshots.next(snapshot)
    await vi.waitFor(() => expect(deliveries.observed).toBe(true))
    deliveries.next(delivered)
    expect(labelsOf(await emitted).length).toBe(rows)
  })

  it('ends without a label, and settles nothing, where it is stopped before there is a model', async () => {
    const snapshots = new Subject<Snapshot>()
    const deliveries = new Subject<Delivery>()
    const emitted = firstValueFrom(
      scoring({ topics: { labels: 'labels', deadLetters: 'dead-letters' } }, snapshots)(deliveries).pipe(toArray()),
    )
    deliveries.next(delivered)
    snapshots.complete()
    expect(await emitted).toEqual([])
    expect(deliveries.observed).toBe(false)
  })
})
