import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backUpLog, openEmbeddedLog, restoreLog } from '@eddy/log-embedded'
import { labelCodec } from '@eddy/messages'
import { createLogger, createMetrics, onAbort } from '@eddy/runtime'
import fastify from 'fastify'
import { NEVER, takeUntil } from 'rxjs'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { LabelChunks } from './label-chunks.ts'
import { labelsApi } from './labels-api.ts'

it('keeps so many streams open and no more; one that ends makes room', async () => {
  const metrics = createMetrics()
  const server = fastify({ forceCloseConnections: true })
  onTestFinished(() => server.close())
  await server.register(
    labelsApi({
      log: {
        capabilities: {
          pipelined: false,
          ahead: false,
          erasure: undefined,
          memory: undefined,
          room: undefined,
          identity: undefined,
          upkeep: undefined,
        },
        offsets: async () => [{ partition: 0, start: 0, end: 0 }],
        consume: (_, options) => NEVER.pipe(takeUntil(onAbort(options!.signal!))),
      },
      topic: 'labels',
      maxStreams: 2,
      chunks: new LabelChunks(),
      logger: createLogger('silent'),
      metrics,
    }),
  )
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/v1/labels`
  const open = async () => {
    const stop = new AbortController()
    const { status, headers } = await fetch(url, { signal: stop.signal })
    return { status, retryAfter: headers.get('retry-after'), stop }
  }
  const counted = async () => (await metrics.httpStreams.get()).values[0]?.value
  const [first, second] = [await open(), await open()]
  expect([first.status, second.status, await counted()]).toEqual([200, 200, 2])
  expect(await open()).toMatchObject({ status: 429, retryAfter: '5' })
  first.stop.abort()
  await vi.waitFor(async () => expect(await counted()).toBe(1))
  const third = await open()
  expect([third.status, (await open()).status]).toEqual([200, 429])
  for (const { stop } of [second, third]) stop.abort()
  await vi.waitFor(async () => expect(await counted()).toBe(0))
})

describe('where a stream begins', () => {
  const twelve = Array.from({ length: 12 }, (_, i) => ({
    customer: `c${i}`,
    time: i,
    model: 'm',
    snapshotVersion: 1n,
    segment: 's',
    posterior: Float64Array.of(1),
    logDensity: 0,
    sourcePartition: 0,
    sourceOffset: i,
    provisional: false,
  }))
  const folder = mkdtempSync(join(tmpdir(), 'eddy-labels-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const topics = { labels: { partitions: 2, cleanup: 'delete', retentionBytes: 1 } } as const

  /** A log with seven labels in partition 0 of which retention has left from the third on, and five in partition 1. */
  async function filled(directory: string) {
    const log = openEmbeddedLog(directory)
    await log.ensureTopics(topics)
    const publish = (partition: number, from: number, to: number) =>
      log.publish([
        {
          topic: 'labels',
          records: twelve
            .slice(from, to)
            .map(label => ({ key: null, value: labelCodec.encode(label).slice(), partition })),
        },
      ])
    await publish(1, 7, 12)
    await publish(0, 0, 3)
    await publish(0, 3, 7)
    await log.maintain()
    return log
  }

  async function serve(directory: string, open = filled) {
    const log = await open(directory)
    const server = fastify()
    const options = { topic: 'labels', maxStreams: 2, logger: createLogger('silent'), metrics: createMetrics() }
    await server.register(labelsApi({ log, chunks: new LabelChunks(), ...options }))
    const get = async (query: string) => {
      const { statusCode, headers, body } = await server.inject(`/v1/labels?follow=false&${query}`)
      const lines = body.split('\n').filter(line => line !== '')
      return { status: statusCode, id: headers['eddy-log'], lines: lines.map(line => JSON.parse(line)) }
    }
    const stop = async () => {
      await server.close()
      await log.close()
    }
    return { log, get, stop }
  }

  it('is within what is stored, or the answer says what is', async () => {
    const { log, get, stop } = await serve(join(folder, 'ranges'))
    onTestFinished(stop)
    const partitions = await log.offsets('labels')
    expect(partitions).toEqual([
      { partition: 0, start: 3, end: 7 },
      { partition: 1, start: 0, end: 5 },
    ])
    const { status, lines } = await get('from=5')
    expect(status).toBe(200)
    expect(lines.map(({ customer, at }) => [customer, at.partition, at.offset])).toEqual([
      ['c5', 0, 5],
      ['c6', 0, 6],
    ])
    expect((await get('from=3,5')).lines).toHaveLength(4)
    expect((await get('from=7,5')).lines).toHaveLength(0)
    for (const [from, expected] of [
      ['2,5', 410],
      ['2', 410],
      ['7', 416],
      ['8,5', 416],
      ['-1', 416],
      ['4.5,5', 416],
      ['99999999999999999999', 416],
      ['1,2,3', 400],
      ['yesterday', 400],
    ] as const) {
      const answer = await get(`from=${from}`)
      expect([from, answer.status]).toEqual([from, expected])
      expect(answer.lines).toEqual([
        { error: expect.stringMatching(/partition 0 \(3 to 7\), partition 1 \(0 to 5\), got/), partitions },
      ])
    }
  })

  it('is in the log that the reader means', async () => {
    const first = await serve(join(folder, 'first'))
    const { id } = await first.get('from=3,5')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await first.get(`from=3,5&log=${id}`)).status).toBe(200)
    await first.stop()
    const again = await serve(join(folder, 'first'), async directory => openEmbeddedLog(directory))
    expect((await again.get(`from=3,5&log=${id}`)).lines).toHaveLength(4)
    await again.stop()
    await backUpLog(join(folder, 'first'), join(folder, 'copy'))
    await restoreLog(join(folder, 'copy'), join(folder, 'restored'))
    const others = [
      await serve(join(folder, 'restored'), async directory => openEmbeddedLog(directory)),
      await serve(join(folder, 'new')),
    ]
    for (const { get, stop } of others) {
      expect(await get(`from=3,5&log=${id}`)).toMatchObject({
        status: 412,
        lines: [{ error: expect.stringContaining(id as string) }],
      })
      expect((await get('from=3,5')).id).not.toBe(id)
      await stop()
    }
  })
})
