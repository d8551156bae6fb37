import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { EddyProcess, temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const stalledStreams = 500
const slowSockets = 2 * stalledStreams
const probes = 150

it(`${slowSockets} slow sockets and ${stalledStreams} stalled streams leave the time to a label within 2×, and are ended`, {
  timeout: 240_000,
}, async () => {
  const config = join(folder.path, 'eddy.yaml')
  writeFileSync(config, 'model: { components: 3, warmUp: { events: 1000 } }\nfeatures: [{ name: x }, { name: y }]\n')
  const running = new EddyProcess(['up', '--config', config, '--data-dir', join(folder.path, 'data'), '--port', '0'])
  const sockets: Socket[] = []
  try {
    const url = await running.url()
    const port = Number(new URL(url).port)
    // Enough labels that a reader who does not read fills every buffer between us.
    for (let n = 0; n < 20; n++) await send(`${url}/v1/events`, syntheticEvents(5000, n))
    const open = (text: string): Socket => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.on('error', () => {})
      sockets.push(socket)
      return socket
    }
    await latencies(url, 20)
    const alone = percentile(await latencies(url, probes), 0.99)

    let ended = 0
    const head = 'POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n'
    // They are slow to send, and read the answer that ends them: a socket that is not read says nothing of its end.
    for (let n = 0; n < slowSockets; n++)
      open(n % 2 === 0 ? head : `${head}\r\n{`)
        .resume()
        .on('close', () => ended++)
    for (let n = 0; n < stalledStreams; n++) {
      const socket = open('GET /v1/labels?from=earliest HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      socket.pause()
    }
    const began = performance.now()
    await streamsReach(url, stalledStreams)
    const beside = percentile(await latencies(url, probes), 0.99)
    console.log(`event → label p99: ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside slow clients`)
    // A few milliseconds are the resolution of a shared machine.
    expect(beside).toBeLessThanOrEqual(2 * Math.max(alone, 10))
    while (ended < slowSockets && performance.now() - began < 90_000) await delay(200)
    expect(ended).toBe(slowSockets)
    console.log(`slow sockets ended by the server after at most ${((performance.now() - began) / 1000).toFixed(0)} s`)
    while ((await openStreams(url)) > 0 && performance.now() - began < 150_000) await delay(1000)
    expect(await openStreams(url)).toBe(0)
    expect(running.stderr.match(/expected the reader to take what it is sent/g)).toHaveLength(stalledStreams)
    expect(await running.stop('SIGTERM')).toBe(0)
  } finally {
    for (const socket of sockets) socket.destroy()
    await running.stop('SIGKILL')
  }
})

/** A request on a connection of its own: one kept alive may just be ending. */
function send(url: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body === undefined ? 'GET' : 'POST', agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Milliseconds from posting an event to its label on a stream, twenty times a second. */
async function latencies(url: string, count: number): Promise<number[]> {
  const stop = new AbortController()
  const response = await fetch(`${url}/v1/labels?from=latest`, { signal: stop.signal })
  const waiting = new Map<string, () => void>()
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      const lines = text.split('\n')
      text = lines.pop() as string
      for (const line of lines) if (line !== '') waiting.get((JSON.parse(line) as { customer: string }).customer)?.()
    }
  })().catch(() => {})
  const found: number[] = []
  for (let n = 0; n < count; n++) {
    const customer = `probe-${performance.now()}`
    const labelled = new Promise<void>(resolve => waiting.set(customer, resolve))
    const began = performance.now()
    await send(`${url}/v1/events`, `{"customer":"${customer}","features":{"x":1,"y":1}}`)
    await labelled
    found.push(performance.now() - began)
    await delay(50)
  }
  stop.abort()
  await reading
  return found
}

const percentile = (values: number[], q: number): number =>
  values.sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number

const openStreams = async (url: string): Promise<number> =>
  Number(/^eddy_http_streams (\d+)/m.exec(await send(`${url}/metrics`))?.[1])

async function streamsReach(url: string, count: number): Promise<void> {
  while ((await openStreams(url)) < count) await delay(100)
}
