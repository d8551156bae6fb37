import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Delivery } from '@eddy/log'
import { readAll } from '@eddy/log/testing'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Erasures } from './erasures.ts'
import { eventRecord } from './event-record.ts'

const topics = { events: 'events', features: 'features', labels: 'labels', deadLetters: 'dead' }
const configuration = { topics, model: { name: 'm' } } as never

let folder: string
let log: EmbeddedLog
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-erasures-'))
  log = openEmbeddedLog(folder)
  const topic = { partitions: 1, cleanup: 'delete' } as const
  await log.ensureTopics(Object.fromEntries(Object.values(topics).map(name => [name, topic])))
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

let ids = 0
const erasuresOf = (parts: object = {}) =>
  new Erasures({
    log,
    configuration,
    features: ['x'],
    logger: { info() {}, error() {} },
    now: () => 1000 * ids,
    newId: () => `e${++ids}`,
    ...parts,
  })

const post = (...customers: string[]) =>
  log.publish([
    {
      topic: topics.events,
      records: customers.map(customer => eventRecord(Buffer.from(JSON.stringify({ customer, features: { x: 1 } })))),
    },
  ])

const vectorOf = (customer: string) => ({ key: Buffer.from(customer), value: Buffer.from(`vector of ${customer}`) })
const keysIn = async (topic: string) => (await readAll(log, topic)).map(({ key }) => key)
const filesWith = (text: string) => readdirSync(folder).filter(name => readFileSync(join(folder, name)).includes(text))

describe('Erasures', () => {
  it('erase several customers in one pass, and keep no id', async () => {
    await post('anna-1', 'berta-2', 'carla-3', 'anna-1')
    const erase = vi.spyOn(log.capabilities.erasure, 'erase')
    const onErased = vi.fn()
    const info = vi.fn()
    const erasures = erasuresOf({ onErased, logger: { info, error() {} } })
    const asked = await erasures.ask(['anna-1', 'carla-3'], 'ops')
    expect(asked).toMatchObject({ state: 'waiting', customers: 2, erased: {} })
    await erasures.settled()
    expect(erase.mock.calls.map(([topic]) => topic).sort()).toEqual(Object.values(topics).sort())
    const erased = { events: 3, features: 0, labels: 0, dead: 0 }
    expect(await erasures.find(asked.id)).toMatchObject({ state: 'done', customers: 2, erased })
    expect(info).toHaveBeenCalledExactlyOnceWith(
      { audit: 'forget', by: 'ops', erasure: asked.id, customers: ['anna-1', 'carla-3'], forgotten: erased },
      'customers were erased',
    )
    expect(onErased).toHaveBeenCalledOnce()
    expect(await keysIn(topics.events)).toEqual(['berta-2'])
    for (const id of ['anna-1', 'carla-3']) expect(filesWith(id)).toEqual([])
  })

  it('are finished by the next process where one was killed in the middle, and count each record once', async () => {
    for (let n = 0; n < 100; n++) await post('anna-1', `other-${n}`)
    await log.close()
    const fixture = new URL('./erase.fixture.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--conditions=source', fixture, folder, 'anna-1'], { stdio: 'inherit' })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    log = openEmbeddedLog(folder)
    const left = (await keysIn(topics.events)).filter(key => key === 'anna-1').length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(100)
    const erasures = erasuresOf()
    expect(await erasures.find('in-the-middle')).toMatchObject({ state: 'running', erased: { events: 100 - left } })
    await erasures.resume()
    await erasures.settled()
    expect(await erasures.find('in-the-middle')).toMatchObject({ state: 'done', erased: { events: 100 } })
    expect(await keysIn(topics.events)).toHaveLength(100)
    expect(filesWith('anna-1')).toEqual([])
  })

  it('reach what a stage had in hand when they were asked for, and wrote after', async () => {
    await post('anna-1', 'berta-2')
    const handed: Delivery[] = []
    const stage = (topic: string, group: string) =>
      log.consume(topic, { group }).subscribe(delivery => handed.push(delivery))
    const ingest = stage(topics.events, 'features.ingest')
    await vi.waitFor(() => expect(handed).toHaveLength(1))
    const erasures = erasuresOf()
    const { id } = await erasures.ask(['anna-1'], 'ops')
    await vi.waitFor(async () => expect((await erasures.find(id))?.erased).toEqual({ events: 1 }))
    const settles = { group: 'features.ingest', deliveries: handed.slice(0, 1) }
    const records = [vectorOf('anna-1'), vectorOf('berta-2')]
    await log.publish([{ topic: topics.features, records }], { settles })
    await erasures.settled()
    expect(await erasures.find(id)).toMatchObject({ state: 'done', erased: { events: 1, features: 1 } })
    expect(await keysIn(topics.features)).toEqual(['berta-2'])
    ingest.unsubscribe()
    const scoring = stage(topics.features, 'm.scoring')
    await vi.waitFor(() => expect(handed).toHaveLength(2))
    await erasures.ask(['berta-2'], 'ops')
    await vi.waitFor(async () => expect(await keysIn(topics.features)).toEqual([]))
    await log.publish([{ topic: topics.labels, records: [vectorOf('berta-2')] }], {
      settles: { group: 'm.scoring', deliveries: handed.slice(1) },
    })
    await erasures.settled()
    expect(await keysIn(topics.labels)).toEqual([])
    scoring.unsubscribe()
    expect([...filesWith('anna-1'), ...filesWith('berta-2')]).toEqual([])
  })

  it('keep events that were sent after they had been asked for', async () => {
    await post('anna-1')
    let go = () => {}
    const blocked = new Promise<void>(resolve => {
      go = resolve
    })
    const { erase } = log.capabilities.erasure
    vi.spyOn(log.capabilities.erasure, 'erase').mockImplementation(async (...args) =>
      blocked.then(() => erase(...args)),
    )
    const erasures = erasuresOf()
    await erasures.ask(['anna-1'], 'ops')
    await post('anna-1')
    go()
    await erasures.settled()
    expect((await readAll(log, topics.events)).map(({ offset }) => offset)).toEqual([1])
  })

  it('say why they wait, and wait for one another', async () => {
    await post('anna-1')
    const failure = new Error('expected room')
    vi.spyOn(log.capabilities.erasure, 'erase').mockRejectedValue(failure)
    const erasures = erasuresOf()
    const { id } = await erasures.ask(['anna-1'], 'ops')
    await vi.waitFor(async () =>
      expect(await erasures.find(id)).toMatchObject({ state: 'waiting', error: failure.message }),
    )
    const second = await erasures.ask(['berta-2'], 'ops')
    expect((await erasures.list()).map(({ id, state }) => [id, state])).toEqual([
      [id, 'waiting'],
      [second.id, 'waiting'],
    ])
    erasures.stop()
    await erasures.settled()
    vi.restoreAllMocks()
    const next = erasuresOf()
    await next.resume()
    await next.settled()
    expect((await next.list()).map(({ state, error }) => [state, error])).toEqual([
      ['done', undefined],
      ['done', undefined],
    ])
  })
})
