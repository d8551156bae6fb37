import type { Delivery } from '@eddy/log'
import { hashOffset, type Snapshot, type StatisticsMessage, snapshotCodec, statisticsCodec } from '@eddy/messages'
import { createLogger, type Emission } from '@eddy/runtime'
import { localEStep } from '@eddy/threads'
import fc from 'fast-check'
import { concatMap, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { eStepWorker, type InputEnd } from './e-step-worker.ts'
import { delivery, featureRecords, learnedFrom, published, schema, warmedUp } from './testing.ts'
import { Updater } from './updater.ts'

const records = featureRecords(1000)
const first = await warmedUp(records)

/** A worker with its inputs in hand. */
function startWorker(batchSize = 100, start = 0) {
  const features = new Subject<Delivery>()
  const snapshots = new Subject<Snapshot>()
  const ends = new Subject<InputEnd>()
  const messages: StatisticsMessage[] = []
  let ask: ((partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>) | undefined
  let tell: ((partitions: readonly number[]) => void) | undefined
  const emissions = eStepWorker(
    { model: 'test', schema, batchSize, topics: { statistics: 'statistics' }, eStep: localEStep() },
    {
      features: (from, onAssignment) => {
        ask = from
        tell = onAssignment
        return features
      },
      begins: async ledger => new Map([[0, Math.max(start, ledger.get(0) ?? 0)]]),
      snapshots,
      ends,
    },
  )
  const heard: Emission[] = []
  const done = new Promise<void>((resolve, reject) => {
    emissions.subscribe({
      next: emission => {
        heard.push(emission)
        messages.push(...published(emission, 'statistics').map(value => statisticsCodec.decode(value)))
      },
      complete: resolve,
      error: reject,
    })
  })
  const finish = async (): Promise<StatisticsMessage[]> => {
    for (const input of [features, snapshots, ends]) input.complete()
    await done
    return messages
  }
  return {
    features,
    snapshots,
    ends,
    messages,
    finish,
    revoke: () => tell?.([]),
    assign: () => ask?.([0]) as Promise<ReadonlyMap<number, number>>,
  }
}

const withLedger = (snapshot: Snapshot, next: number): Snapshot => ({
  ...snapshot,
  version: snapshot.version + 1n,
  ledger: [{ partition: 0, next, events: BigInt(next), offsetsHash: 0n }],
})

describe('eStepWorker', () => {
  it('starts from the ledger and cuts at fixed counts, under the snapshot whose ledger ends there', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    expect(await worker.assign()).toEqual(new Map([[0, 200]]))
    const all = delivery(records.slice(200))
    worker.features.next(all)
    worker.snapshots.next(withLedger(first, 300))
    const messages = await worker.finish()
    expect(messages.map(({ from, to, events, snapshotVersion }) => [from, to, events, snapshotVersion])).toEqual([
      [200, 300, 100, first.version],
      [300, 400, 100, first.version + 1n],
    ])
    expect(messages[0]?.offsetsHash).toBe(
      records.slice(200, 300).reduce((sum, { offset }) => BigInt.asUintN(64, sum + hashOffset(0, offset)), 0n),
    )
    expect(all.acknowledged).toBe(false)
  })

  it('does not run ahead of the ledger', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 300)))
    worker.features.next(delivery(records.slice(300, 400)))
    expect((await worker.finish()).length).toBe(1)
  })

  it('learns a batch that is not full only where the input ends', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 250)))
    worker.ends.next(new Map([[0, 260]]))
    worker.features.next(delivery(records.slice(250, 260)))
    expect((await worker.finish()).map(({ from, to }) => [from, to])).toEqual([[200, 260]])
  })

  it('learns all that has arrived when the stream is quiet, also what still waits for the batch before it', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 450)))
    worker.ends.next('here')
    for (const learned of [300, 400]) worker.snapshots.next(withLedger(first, learned))
    expect((await worker.finish()).map(({ from, to }) => [from, to])).toEqual([
      [200, 300],
      [300, 400],
      [400, 450],
    ])
  })

  it('drops what another worker has learned meanwhile', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 290)))
    worker.snapshots.next(withLedger(first, 250))
    worker.features.next(delivery(records.slice(290, 360)))
    expect((await worker.finish()).map(({ from, to, events }) => [from, to, events])).toEqual([[250, 350, 100]])
  })

  it('leaves no gap when a partition comes back while its old deliveries still wait', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 250)))
    worker.features.next(delivery(records.slice(250, 290)))
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 300)))
    expect((await worker.finish()).map(({ from, to, events }) => [from, to, events])).toEqual([[200, 300, 100]])
  })

  it('lets go of a partition that another worker has been given', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 250)))
    worker.revoke()
    worker.ends.next('here')
    expect(await worker.finish()).toEqual([])
  })

  it('ends when the ledger stands elsewhere than where it would go on', async () => {
    const worker = startWorker()
    worker.snapshots.next(first)
    await worker.assign()
    worker.features.next(delivery(records.slice(200, 300)))
    worker.snapshots.next(withLedger(first, 250))
    await expect(worker.finish()).rejects.toThrow(/ledger of partition 0: expected 200 or 300, got 250/)
  })

  it('begins where its partition begins by now, also where the ledger names none of it', async () => {
    for (const ledger of [first.ledger, []]) {
      const worker = startWorker(100, 400)
      worker.snapshots.next({ ...first, ledger })
      expect(await worker.assign()).toEqual(new Map([[0, 400]]))
      worker.features.next(delivery(records.slice(400, 600)))
      await expect.poll(() => worker.messages.length).toBe(1)
      // The ledger stands where it stood while the first range is on its way.
      worker.snapshots.next({ ...first, ledger, version: first.version + 1n })
      worker.snapshots.next(withLedger(first, 500))
      const messages = await worker.finish()
      expect(messages.map(({ from, to }) => [from, to])).toEqual([
        [400, 500],
        [500, 600],
      ])
    }
  })
})

/** Worker and updater in a ring, with deliveries cut at the given places; ends with the last snapshot. */
async function learn(cuts: readonly number[]): Promise<Snapshot> {
  const worker = startWorker()
  const statistics = new Subject<Delivery>()
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
  let newest = first
  statistics.pipe(concatMap(message => updater.fold(message))).subscribe(emission => {
    for (const value of published(emission, 'snapshots')) {
      newest = snapshotCodec.decode(value)
      worker.snapshots.next(newest)
    }
  })
  let seen = 0
  const pump = (): void => {
    for (; seen < worker.messages.length; seen++) {
      const value = statisticsCodec.encode(worker.messages[seen] as StatisticsMessage)
      statistics.next(
        delivery([{ offset: seen, key: null, value, headers: {}, timestamp: 0 }], { topic: 'statistics' }),
      )
    }
  }
  worker.snapshots.next(first)
  await worker.assign()
  const bounds = [200, ...[...new Set(cuts)].sort((a, b) => a - b), 1000]
  for (let i = 1; i < bounds.length; i++) {
    const part = delivery(records.slice(bounds[i - 1], bounds[i]))
    if (part.records.length === 0) continue
    worker.features.next(part)
    while (!part.acknowledged) {
      await new Promise(resolve => setImmediate(resolve))
      pump()
    }
  }
  worker.ends.next(new Map([[0, 1000]]))
  while ((newest.ledger[0]?.next ?? 0) < 1000) {
    await new Promise(resolve => setImmediate(resolve))
    pump()
  }
  return newest
}

describe('worker and updater', () => {
  it('learn the same bytes however the stream was cut into deliveries', async () => {
    const whole = await learn([])
    expect(whole).toMatchObject({
      version: first.version + 8n,
      step: 8n,
      ledger: [{ partition: 0, next: 1000, events: 1000n }],
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 201, max: 999 }), { maxLength: 12 }), async cuts => {
        expect(snapshotCodec.encode(await learn(cuts))).toEqual(snapshotCodec.encode(whole))
      }),
      { numRuns: 25 },
    )
  })
})
