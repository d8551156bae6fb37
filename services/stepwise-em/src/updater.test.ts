import { type StatisticsMessage, snapshotCodec, statisticsCodec } from '@eddy/messages'
import { createLogger, createMetrics } from '@eddy/runtime'
import { localEStep } from '@eddy/threads'
import { describe, expect, it } from 'vitest'
import { MiniBatch } from './mini-batch.ts'
import { delivery, featureRecords, learnedFrom, published, schema, warmedUp } from './testing.ts'
import { Updater } from './updater.ts'

const records = featureRecords(600)
const first = await warmedUp(records)

async function statisticsOf(from: number, to: number): Promise<StatisticsMessage> {
  const batch = new MiniBatch(0, from, to - from, schema)
  batch.take(delivery(records.slice(from, to)), 0)
  const { block, weights } = batch.contents()
  const expectation = await localEStep()(first, block, weights)
  return {
    model: 'test',
    snapshotVersion: first.version,
    partition: 0,
    from,
    to,
    events: to - from,
    offsetsHash: batch.offsetsHash(),
    squaredWeight: to - from,
    ...expectation,
  }
}

function start(foldsPerSnapshot = 1, initial = first, gap: { onGap?: 'skip'; start?: number } = {}) {
  const metrics = createMetrics()
  const updater = new Updater(
    {
      model: 'test',
      foldsPerSnapshot,
      maxRecordBytes: 1_000_000,
      topics: { snapshots: 'snapshots', lineage: 'lineage' },
      seed: 1,
      start: async () => gap.start ?? 0,
      onGap: gap.onGap ?? 'fail',
      events: learnedFrom(records),
      now: () => 0,
      logger: createLogger('silent'),
      metrics,
    },
    initial,
  )
  let offset = 0
  const fold = async (...messages: (StatisticsMessage | Uint8Array)[]) => {
    const stored = messages.map(message => ({
      offset: offset++,
      key: null,
      value: message instanceof Uint8Array ? message : statisticsCodec.encode(message),
      headers: {},
      timestamp: 0,
    }))
    const emission = await updater.fold(delivery(stored, { topic: 'statistics' }))
    return published(emission, 'snapshots').map(value => snapshotCodec.decode(value))
  }
  const refused = async (): Promise<number> =>
    (await metrics.foldsRefused.get()).values.reduce((sum, { value }) => sum + value, 0)
  return { fold, refused }
}

describe('Updater', () => {
  it('folds ranges in order, each once', async () => {
    const { fold, refused } = start()
    const [a, b] = [await statisticsOf(200, 300), await statisticsOf(300, 400)]
    const [second] = await fold(a)
    expect(second).toMatchObject({
      version: first.version + 1n,
      step: 1n,
      ledger: [{ partition: 0, next: 300, events: 300n }],
      statisticsOffset: 1,
    })
    expect(await fold(a)).toEqual([])
    expect(await fold(await statisticsOf(350, 450))).toEqual([])
    expect((await fold(b))[0]).toMatchObject({
      version: first.version + 2n,
      ledger: [{ next: 400, events: 400n }],
      statisticsOffset: 4,
    })
    expect(await refused()).toBe(2)
  })

  it('publishes every so many folds', async () => {
    const { fold } = start(2)
    const snapshots = await fold(
      await statisticsOf(200, 250),
      await statisticsOf(250, 300),
      await statisticsOf(300, 350),
    )
    expect(snapshots.map(({ version, ledger }) => [version, ledger[0]?.next])).toEqual([[first.version + 1n, 300]])
  })

  it('judges the model by the newest mini-batches: each weighs a twentieth, the first of all whole', async () => {
    const { fold } = start()
    const each = [await statisticsOf(200, 250), await statisticsOf(250, 300), await statisticsOf(300, 350)]
    // Log-likelihoods an event of −1, −2 and −4 nats.
    const told = each.map((message, i) => ({ ...message, logLikelihood: -(2 ** i) * message.weight }))
    const snapshots = await fold(...told)
    const seen = snapshots.map(({ prequentialLogLikelihood }) => prequentialLogLikelihood)
    const second = 0.95 * -1 + 0.05 * -2
    for (const [i, expected] of [-1, second, 0.95 * second + 0.05 * -4].entries())
      expect(seen[i]).toBeCloseTo(expected, 12)
  })

  it('weighs its evidence by squared weights, as Kish does; a message of an older version has events of weight 1', async () => {
    const message = await statisticsOf(200, 300)
    const sizeAfter = async (squaredWeight: number) =>
      (await start().fold({ ...message, squaredWeight }))[0]!.effectiveSampleSize
    // A hundred events that weigh alike, and as much weight in one event.
    const alike = await sizeAfter(100)
    expect(await sizeAfter(-1)).toBe(alike)
    expect(await sizeAfter(100 ** 2)).toBeLessThan(alike / 2)
  })

  it('takes from a snapshot of an older version what that says: learned weight, and what is expected', async () => {
    const old = { ...first, weight: -1, surprise: -1, expectedLogLikelihood: 0, judgedWeight: -1 }
    const message = await statisticsOf(200, 300)
    const [snapshot] = await start(1, { ...old, prequentialLogLikelihood: -9 }).fold(message)
    expect(snapshot).toMatchObject({
      weight: first.effectiveSampleSize + 100,
      expectedLogLikelihood: -9,
      judgedWeight: first.effectiveSampleSize,
    })
    expect(snapshot!.surprise).toBe(0)
  })

  it('refuses what is malformed, and goes on', async () => {
    const { fold, refused } = start()
    const good = await statisticsOf(200, 300)
    const poisoned = { ...good, statistics: good.statistics.map((value, i) => (i === 3 ? Number.NaN : value)) }
    const short = { ...good, statistics: good.statistics.slice(1) }
    expect(await fold(Uint8Array.of(1, 2, 3), poisoned, short)).toEqual([])
    expect(await refused()).toBe(3)
    expect((await fold(good))[0]?.ledger[0]?.next).toBe(300)
  })

  it('ignores statistics of another model', async () => {
    const { fold, refused } = start()
    expect(await fold({ ...(await statisticsOf(200, 300)), model: 'other' })).toEqual([])
    expect(await refused()).toBe(0)
  })

  it('goes on after what retention has dropped where it is told to, and the ledger says so', async () => {
    const after = await statisticsOf(300, 400)
    // Nothing is gone: another worker's range is missing.
    const waits = start(1, first, { onGap: 'skip', start: 299 })
    expect(await waits.fold(after)).toEqual([])
    expect(await waits.refused()).toBe(1)
    await expect(start(1, first, { start: 300 }).fold(after)).rejects.toThrow(
      /expected statistics from offset 200, got them from 300.*--on-gap skip/,
    )
    const skips = start(1, first, { onGap: 'skip', start: 300 })
    const [second] = await skips.fold(after)
    expect(second!.ledger).toMatchObject([{ partition: 0, next: 400, events: 300n, skipped: 100 }])
    const [third] = await skips.fold(await statisticsOf(400, 500))
    expect(third!.ledger).toMatchObject([{ next: 500, events: 400n, skipped: 100 }])
  })

  it('begins a partition of which it has learned nothing where that begins by now', async () => {
    const fresh = { ...first, ledger: [] }
    const [second] = await start(1, fresh, { start: 300 }).fold(await statisticsOf(300, 400))
    expect(second!.ledger).toMatchObject([{ partition: 0, next: 400, events: 100n }])
    expect(second!.ledger[0]).not.toHaveProperty('skipped')
    expect(await start(1, fresh, { start: 299 }).fold(await statisticsOf(300, 400))).toEqual([])
  })
})
