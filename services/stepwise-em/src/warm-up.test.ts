import type { Delivery } from '@eddy/log'
import { hashOffset, lineageCodec, type Snapshot, snapshotCodec } from '@eddy/messages'
import { soundSample } from '@eddy/mixture'
import { createLogger } from '@eddy/runtime'
import { Subject } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import type { InputEnd } from './e-step-worker.ts'
import { delivery, featureRecords, published, specification } from './testing.ts'
import { type WarmUpOptions, warmUpStage } from './warm-up.ts'

const records = featureRecords(400)
/** K = 2 in two features: 11 free parameters. */
const sample = 22

function start(options: Partial<WarmUpOptions> = {}) {
  const features = new Subject<Delivery>()
  const ends = new Subject<InputEnd>()
  const pauses = new Subject<void>()
  const logger = { ...createLogger('silent'), info: vi.fn(), warn: vi.fn() }
  const snapshots: Snapshot[] = []
  let born: string[] = []
  let completed = false
  let waiting = true
  const stage = warmUpStage(
    {
      model: 'test',
      specification,
      events: 200,
      seed: 1,
      maxRecordBytes: 1_000_000,
      topics: { snapshots: 'snapshots', lineage: 'lineage' },
      now: () => 0,
      logger,
      ...options,
    },
    { features, ends, pauses, waiting: async () => waiting },
  )
  stage.subscribe({
    next: emission => {
      snapshots.push(
        ...published(emission, 'snapshots')
          .slice(-1)
          .map(value => snapshotCodec.decode(value)),
      )
      born = published(emission, 'lineage').flatMap(value => lineageCodec.decode(value).children)
    },
    complete: () => {
      completed = true
    },
  })
  const settled = () => new Promise(resolve => setImmediate(resolve))
  return {
    logger,
    snapshots,
    born: () => born,
    completed: () => completed,
    isWaiting: (value: boolean) => {
      waiting = value
    },
    give: async (from: number, to: number, more = false, partition = 0) => {
      features.next(delivery(records.slice(from, to), { partition, ...(more ? { endOffset: 400 } : {}) }))
      await settled()
    },
    end: async () => {
      ends.next(new Map([[0, 0]]))
      await settled()
    },
    pause: async () => {
      pauses.next()
      await settled()
    },
  }
}

/** What a run leads to that gives all events at once. */
async function uninterrupted(): Promise<Snapshot> {
  const run = start()
  await run.give(0, 400)
  return run.snapshots[0]!
}

describe('warmUpStage', () => {
  it('waits for its events, however long nothing comes; one event makes no segments', async () => {
    expect(soundSample(specification)).toBe(sample)
    const run = start()
    await run.give(0, 1)
    await run.pause()
    await run.give(1, sample - 1)
    await run.pause()
    expect(run.snapshots).toEqual([])
    expect(run.completed()).toBe(false)
  })

  it('gives provisional models at 1, 2, 4, … times the smallest sound sample, then the first one', async () => {
    const run = start()
    for (let n = 0; n < 200; n++) await run.give(n, n + 1)
    expect(run.snapshots.map(({ version, provisional, weight }) => [version, provisional, weight])).toEqual([
      [1n, true, 22],
      [2n, true, 44],
      [3n, true, 88],
      [4n, true, 176],
      [5n, false, 200],
    ])
    for (const { provisional, ledger } of run.snapshots)
      expect(ledger.map(({ next, events }) => [next, events])).toEqual(provisional ? [] : [[200, 200n]])
    expect(run.completed()).toBe(true)
    expect(run.born()).toEqual(run.snapshots.at(-1)?.segments.map(({ id }) => id))
  })

  it('says in its ledger which events it was learned from, so that none is learned again', async () => {
    const run = start()
    await run.give(0, 150, true)
    await run.give(150, 300)
    const hash = records.slice(0, 200).reduce((sum, { offset }) => BigInt.asUintN(64, sum + hashOffset(0, offset)), 0n)
    expect(run.snapshots.at(-1)?.ledger).toEqual([{ partition: 0, next: 200, events: 200n, offsetsHash: hash }])
  })

  it('begins with as many events as it should, of all partitions together, and leaves the rest to be learned', async () => {
    const run = start()
    await run.give(0, 150, true)
    await run.give(0, 150, true, 1)
    const { weight, ledger } = run.snapshots.at(-1)!
    expect(weight).toBe(200)
    expect(ledger.map(({ partition, next, events }) => [partition, next, events])).toEqual([
      [0, 150, 150n],
      [1, 50, 50n],
    ])
  })

  it('ends in the same bytes whichever provisional models were published, and whoever goes on', async () => {
    const first = snapshotCodec.encode(await uninterrupted())
    const trickle = start()
    for (let n = 0; n < 200; n += 3) await trickle.give(n, Math.min(200, n + 3))
    const resumed = start({ provisionalVersion: 2n })
    await resumed.give(0, 50)
    expect(resumed.snapshots).toEqual([])
    await resumed.give(50, 300)
    for (const { snapshots } of [trickle, resumed]) expect(snapshotCodec.encode(snapshots.at(-1)!)).toEqual(first)
  })

  it('makes no provisional model while more events are known to come, and makes one when they stop', async () => {
    const run = start()
    await run.give(0, 50, true)
    run.isWaiting(false)
    await run.give(50, 60)
    await run.pause()
    expect(run.snapshots).toEqual([])
    run.isWaiting(true)
    await run.pause()
    await run.pause()
    expect(run.snapshots.map(({ version, weight }) => [version, weight])).toEqual([[2n, 60]])
  })

  it('keeps the ids of segments from one model to the next', async () => {
    const run = start()
    for (let n = 0; n < 200; n += 11) await run.give(n, Math.min(200, n + 11))
    const nearOrigin = run.snapshots.map(({ parameters, segments }) => {
      const { means, transformCentre, transformScale } = parameters as Record<string, Float64Array>
      const x = (k: number) => means![2 * k]! * transformScale![0]! + transformCentre![0]!
      return segments[x(0) < x(1) ? 0 : 1]!.id
    })
    expect(run.snapshots.length).toBe(5)
    expect(new Set(nearOrigin).size).toBe(1)
  })

  it('begins with what there is where the input ends, and says so', async () => {
    const run = start()
    await run.give(0, 1)
    await run.end()
    expect(run.snapshots.map(({ version, provisional, weight }) => [version, provisional, weight])).toEqual([
      [5n, false, 1],
    ])
    expect(run.logger.warn).toHaveBeenCalledWith({ events: 1, of: 200 }, expect.stringContaining('the input ends'))
    expect(run.logger.warn).toHaveBeenCalledWith(
      { components: 2, distinct: 1 },
      expect.stringContaining('more segments'),
    )
  })
})
