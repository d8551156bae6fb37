import type { Delivery, EventLog, PublishOptions } from '@eddy/log'
import { Subject } from 'rxjs'
import { expect, it } from 'vitest'
import { type Emission, run } from './stage.ts'

/** A log whose publications become durable when told, and what happens in order. */
function slowLog(pipelined: boolean) {
  const happened: string[] = []
  const waiting: PromiseWithResolvers<[]>[] = []
  const publish = (_: unknown, { settles }: PublishOptions) => {
    happened.push(`publish ${settles!.deliveries[0]!.nextOffset}`)
    waiting.push(Promise.withResolvers<[]>())
    return waiting.at(-1)!.promise
  }
  return { log: { publish, capabilities: { pipelined } } as unknown as EventLog, happened, waiting }
}

function emission(nextOffset: number, happened: string[]): Emission {
  const ack = () => {
    if (!happened.includes(`ack ${nextOffset}`)) happened.push(`ack ${nextOffset}`)
  }
  return { publications: [], settles: [{ nextOffset, ack } as Delivery] }
}

async function outcome(pipelined: boolean): Promise<string[]> {
  const { log, happened, waiting } = slowLog(pipelined)
  const emissions = new Subject<Emission>()
  run(emissions, {
    log,
    group: 'g',
    onDurable: ({ settles }) => happened.push(`durable ${settles[0]!.nextOffset}`),
  }).subscribe({
    complete: () => happened.push('complete'),
    error: error => happened.push(String(error)),
  })
  for (const nextOffset of [1, 2, 3]) emissions.next(emission(nextOffset, happened))
  emissions.complete()
  for (let n = 0; n < 3; n++) {
    if (n < 2) waiting[n]!.resolve([])
    else waiting[n]!.reject(new Error('lost'))
    await new Promise(setImmediate)
  }
  return happened
}

it('publishes in order without waiting, and acknowledges what is durable', async () => {
  expect(await outcome(false)).toEqual([
    ...[1, 2, 3].map(n => `publish ${n}`),
    ...[1, 2].flatMap(n => [`ack ${n}`, `durable ${n}`]),
    'Error: lost',
  ])
})

it('acknowledges whatever is durable first: no partition waits for another', async () => {
  const { log, happened, waiting } = slowLog(false)
  const emissions = new Subject<Emission>()
  run(emissions, { log, group: 'g' }).subscribe({ complete: () => happened.push('complete') })
  for (const nextOffset of [1, 2]) emissions.next(emission(nextOffset, happened))
  emissions.complete()
  for (const n of [1, 0]) {
    waiting[n]!.resolve([])
    await new Promise(setImmediate)
  }
  expect(happened).toEqual(['publish 1', 'publish 2', 'ack 2', 'ack 1', 'complete'])
})

it('goes on at once on a pipelined log, and tells in order what is durable', async () => {
  expect(await outcome(true)).toEqual([
    ...[1, 2, 3].flatMap(n => [`publish ${n}`, `ack ${n}`]),
    ...['durable 1', 'durable 2', 'Error: lost'],
  ])
})
