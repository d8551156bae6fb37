import type { Delivery, EventLog, Publication } from '@eddy/log'
import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { type Emission, run } from './stage.ts'

/** A log whose publications become durable when the test says so. */
function scriptedLog(pipelined = false) {
  const calls: { readonly publications: readonly Publication[]; readonly done: PromiseWithResolvers<never[]> }[] = []
  const publish = (publications: readonly Publication[]) => {
    const done = Promise.withResolvers<never[]>()
    calls.push({ publications, done })
    return done.promise
  }
  return { calls, log: { publish, pipelined } as unknown as EventLog }
}

function emission(topic: string, partition: number): Emission & { readonly acknowledged: () => boolean } {
  let acknowledged = false
  const ack = (): void => {
    acknowledged = true
  }
  const delivery: Delivery = { topic: 'in', partition, records: [], nextOffset: 1, endOffset: 1, ack }
  return { publications: [{ topic, records: [] }], settles: [delivery], acknowledged: () => acknowledged }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('run', () => {
  it('publishes in order without waiting for another partition, and acknowledges what is durable', async () => {
    const { log, calls } = scriptedLog()
    const emissions = new Subject<Emission>()
    let over = false
    run(emissions, { log, group: 'g' }).subscribe({
      complete: () => {
        over = true
      },
    })
    const [first, second] = [emission('a', 0), emission('b', 1)]
    emissions.next(first)
    emissions.next(second)
    emissions.complete()
    expect(calls.map(({ publications }) => publications[0]!.topic)).toEqual(['a', 'b'])
    calls[1]!.done.resolve([])
    await turn()
    expect([first.acknowledged(), second.acknowledged(), over]).toEqual([false, true, false])
    calls[0]!.done.resolve([])
    await turn()
    expect([first.acknowledged(), over]).toEqual([true, true])
  })

  it('errors with the first failure and acknowledges nothing of it', async () => {
    const { log, calls } = scriptedLog()
    const emissions = new Subject<Emission>()
    const failed = new Promise<Error>(resolve => {
      run(emissions, { log, group: 'g' }).subscribe({ error: resolve })
    })
    const lost = emission('a', 0)
    emissions.next(lost)
    calls[0]!.done.reject(new Error('fenced'))
    expect((await failed).message).toBe('fenced')
    expect(lost.acknowledged()).toBe(false)
  })

  it('goes on at once on a pipelined log, and tells in order what is durable', async () => {
    const { log, calls } = scriptedLog(true)
    const emissions = new Subject<Emission>()
    const durable: Emission[] = []
    const failed = new Promise<Error>(resolve => {
      run(emissions, { log, group: 'g', onDurable: emission => durable.push(emission) }).subscribe({ error: resolve })
    })
    const placed = ['a', 'b', 'c'].map(topic => emission(topic, 0))
    for (const next of placed) emissions.next(next)
    expect(placed.map(next => next.acknowledged())).toEqual([true, true, true])
    calls[0]!.done.resolve([])
    calls[1]!.done.resolve([])
    await turn()
    expect(durable).toEqual(placed.slice(0, 2))
    calls[2]!.done.reject(new Error('lost'))
    expect((await failed).message).toBe('lost')
    expect(durable).toHaveLength(2)
  })
})
