import { createLogger, createMetrics, onAbort } from '@eddy/runtime'
import fastify from 'fastify'
import { NEVER, takeUntil } from 'rxjs'
import { expect, it, onTestFinished, vi } from 'vitest'
import { LabelChunks } from './label-chunks.ts'
import { labelsApi } from './labels-api.ts'

it('keeps so many streams open and no more; one that ends makes room', async () => {
  const metrics = createMetrics()
  const server = fastify({ forceCloseConnections: true })
  onTestFinished(() => server.close())
  await server.register(
    labelsApi({
      log: { consume: (_, options) => NEVER.pipe(takeUntil(onAbort(options!.signal!))) },
      topic: 'labels',
      partitions: 1,
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
