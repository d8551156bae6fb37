import { once } from 'node:events'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
const config = join(folder.path, 'eddy.yaml')
writeFileSync(
  config,
  'model: { components: 3, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\n',
)
const data = join(folder.path, 'data')
const start = (directory: string, environment: Record<string, string> = {}, ...flags: string[]): EddyProcess =>
  new EddyProcess(['up', '--config', config, '--data-dir', directory, '--port', '0', ...flags], environment)
const token = 'a-token-of-some-length'
let open: EddyProcess
let guarded: EddyProcess
let [openUrl, guardedUrl] = ['', '']
beforeAll(async () => {
  open = start(data)
  guarded = start(join(folder.path, 'guarded'), { EDDY_HTTP_TOKEN: token })
  ;[openUrl, guardedUrl] = [await open.url(), await guarded.url()]
})
afterAll(async () => {
  for (const running of [open, guarded]) await running.kill()
  folder.remove()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}
/** `fetch` would not let us send these headers. */
const answer = (url: string, headers: Record<string, string>, method = 'GET', body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, response => {
      response.resume()
      resolve({ status: response.statusCode as number, headers: response.headers })
    })
      .on('error', reject)
      .end(body)
  })
const send = async (...request: Parameters<typeof answer>): Promise<number> => (await answer(...request)).status

describe('a page in the browser of who runs Eddy', () => {
  const routes = [
    ['POST', '/v1/events', '{"customer":"c","features":{"x":1}}'],
    ['GET', '/v1/labels?from=earliest&follow=false', undefined],
    ['DELETE', '/v1/customers/c', undefined],
    ['GET', '/metrics', undefined],
  ] as const

  it.each(routes)('cannot %s %s under a name of its own (DNS rebinding)', async (method, route, body) => {
    for (const host of [
      'evil.example',
      'evil.example:7700',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.7',
    ])
      expect(await send(openUrl + route, { host }, method, body), host).toBe(403)
  })

  it.each(routes)('cannot %s %s from another site', async (method, route, body) => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      // of another port of this machine
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    ]) {
      expect(await send(openUrl + route, headers, method, body), JSON.stringify(headers)).toBe(403)
      const known = { ...headers, authorization: `Bearer ${token}` }
      expect(await send(guardedUrl + route, known, method, body), JSON.stringify(headers)).toBe(403)
    }
  })

  it('gets no leave from here to send what a form could not', async () => {
    for (const [method, route] of [
      ['POST', '/v1/events'],
      ['DELETE', '/v1/customers/c'],
    ] as const) {
      const asks = { origin: openUrl, 'access-control-request-method': method }
      const { status, headers } = await answer(openUrl + route, asks, 'OPTIONS')
      expect(status).toBeGreaterThanOrEqual(400)
      expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('cannot send what a form can, nor bytes without a type, even where it hides where it comes from', async () => {
    const body = '{"customer":"canary-of-a-form","features":{"x":1,"y":1}}'
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status, headers } = await answer(`${openUrl}/v1/events`, { 'content-type': type }, 'POST', body)
      expect([status, headers.accept]).toEqual([415, 'application/json, application/x-ndjson'])
      const sized = { 'content-type': type, 'content-length': String(body.length) }
      expect(await send(`${openUrl}/v1/customers/c`, sized, 'DELETE', body)).toBe(415)
      const known = { 'content-type': type, authorization: `Bearer ${token}` }
      expect(await send(`${guardedUrl}/v1/events`, known, 'POST', body)).toBe(415)
    }
    expect(await send(`${openUrl}/v1/events`, { 'sec-fetch-site': 'none' }, 'POST', body)).toBe(415)
    const kept = await eddy('tail', '--topic', 'events', '--from', 'earliest', '--no-follow', '--data-dir', data)
    expect(kept.stdout).not.toContain('canary-of-a-form')
  })

  it('may follow a link here, and whoever names this machine may do what it did', async () => {
    const { port } = new URL(openUrl)
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    expect(await send(`${openUrl}/livez`, link)).toBe(200)
    for (const host of [
      'localhost',
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      '127.0.0.1',
      `127.1.2.3:${port}`,
      `[::1]:${port}`,
    ])
      expect(await send(`${openUrl}/livez`, { host }), host).toBe(200)
    const own = { origin: openUrl, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-ndjson' }
    expect(await send(`${openUrl}/v1/events`, own, 'POST', syntheticEvents(1))).toBe(200)
    // A token is what counts where there is one: a proxy may hand on another name.
    expect(await send(`${guardedUrl}/metrics`, { host: 'eddy.example', authorization: `Bearer ${token}` })).toBe(200)
  })
})

describe('a token', () => {
  it('is asked for, and its scheme is in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await send(`${guardedUrl}/metrics`, { authorization: `${scheme} ${token}` })).toBe(200)
    for (const authorization of ['', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer  `, `Bearer ${token} x`])
      expect(await send(`${guardedUrl}/metrics`, { authorization }), authorization).toBe(401)
  })
})

describe('files', () => {
  it('are their owner’s alone', async () => {
    expect(statSync(data).mode & 0o777).toBe(0o700)
    expect(await send(`${openUrl}/v1/events`, {}, 'POST', syntheticEvents(400))).toBe(200)
    const backup = join(folder.path, 'backup')
    expect((await eddy('backup', backup, '--data-dir', data)).code).toBe(0)
    for (const directory of [data, backup])
      for (const name of readdirSync(directory))
        expect(statSync(join(directory, name)).mode & 0o777, join(directory, name)).toBe(0o600)
  })
})

describe('what data says', () => {
  it('never reaches a terminal as a control character', async () => {
    const hostile = '\u001b]0;owned\u0007\u009b31m\u0000\r\n\u007f'
    const lines = [
      { customer: `c${hostile}`, features: { x: 1, y: 2 } },
      { customer: 'd', features: { x: hostile, y: 2 } },
    ]
    const body = lines.map(line => `${JSON.stringify(line)}\n`).join('')
    expect(await send(`${openUrl}/v1/events`, {}, 'POST', body)).toBe(200)
    await vi.waitFor(async () => {
      const shown = [
        await eddy('dead-letters', 'list', '--data-dir', data),
        await eddy('tail', '--topic', 'events', '--from', 'earliest', '--no-follow', '--data-dir', data),
        await eddy('tail', '--topic', 'labels', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data),
      ]
      const text = shown.map(({ stdout, stderr }) => stdout + stderr).join('')
      expect(text).toContain('owned')
      expect(text).toContain('wrong-type')
      expect(text.match(/owned/g)!.length).toBeGreaterThanOrEqual(4)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
    }, 20_000)
  })
})

describe('settings', () => {
  it('that are none are an error, so that a misspelt token does not leave the door open', async () => {
    const running = start(join(folder.path, 'misspelt'), { EDDY_HTTP_TOKENS: token, EDDY_PROT: '1' })
    expect(await running.exit).toBe(78)
    expect(running.stderr).toMatch(/EDDY_HTTP_TOKENS: expected the name of a setting/)
    expect(running.stderr).toMatch(/EDDY_PROT: expected the name of a setting/)
    expect(running.stderr).not.toContain(token)
  })
})

describe('ids that are disguised', () => {
  it('are stored nowhere as they came, wherever an event has them', async () => {
    const key = join(folder.path, 'key')
    writeFileSync(key, 'k'.repeat(32))
    const file = join(folder.path, 'hmac.yaml')
    writeFileSync(
      file,
      `model: { components: 3, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\ncustomers: { hmacKeyFile: '${key}' }\n`,
    )
    const directory = join(folder.path, 'hmac')
    // What is compressed would not be found in the files.
    const running = start(directory, { EDDY_LOG_COMPRESSION: 'none' }, '--config', file)
    const url = await running.url()
    const hidden = [
      '{"customerId":"canary-alice","features":{"x":1,"y":1}}',
      '{"user":{"customer":"canary-alice"},"features":{"x":1,"y":1}}',
      '{"customer":{"id":"canary-alice"},"features":{"x":1,"y":1}}',
      '{"customer":"canary-alice","features":{"x":1',
      'canary-alice,1,2',
      '{"customer":["canary-alice"],"x":1}',
    ]
    const body = `${syntheticEvents(400)}${hidden.join('\n')}\n`
    expect(await send(`${url}/v1/events`, {}, 'POST', body)).toBe(200)
    await vi.waitFor(async () => {
      const letters = (await eddy('dead-letters', 'list', '--json', '--data-dir', directory)).stdout
      expect(letters.trim().split('\n')).toHaveLength(hidden.length)
    }, 20_000)
    expect(await running.stop('SIGTERM')).toBe(0)
    const { readFileSync } = await import('node:fs')
    for (const name of readdirSync(directory))
      expect(readFileSync(join(directory, name)).includes('canary-alice'), name).toBe(false)
    expect(running.stdout + running.stderr).not.toContain('canary-alice')
  })
})

describe('a client that takes more than its share', () => {
  const ndjson = { 'content-type': 'application/x-ndjson' }
  const event = (customer: string): string => `{"customer":"${customer}","features":{"x":1,"y":1}}\n`
  const post = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}): Promise<number> =>
    fetch(`${openUrl}/v1/events`, { method: 'POST', headers: { ...ndjson, ...headers }, body }).then(
      ({ status }) => status,
    )
  /** Sends what it is given, and no more. @returns what came back, once the connection has ended */
  const unfinished = (text: string): Promise<string> =>
    new Promise(resolve => {
      let answer = ''
      const socket = connect(Number(new URL(openUrl).port), '127.0.0.1', () => socket.write(text))
      socket.on('data', piece => {
        answer += piece
      })
      socket.on('error', () => {}).on('close', () => resolve(answer))
    })

  it('with a flood of tiny lines, a bomb, or too long a body is refused as a whole', async () => {
    expect(await post(Buffer.alloc(8 << 20, '1\n'))).toBe(413)
    expect(await post(gzipSync(Buffer.alloc(64 << 20)), { 'content-encoding': 'gzip' })).toBe(413)
    expect(await post(Buffer.alloc(17 << 20, ' '))).toBe(413)
    expect(await post(event('after'))).toBe(200)
  })

  it('with unfinished bodies leaves room for others, and the memory is given back', async () => {
    const { port } = new URL(openUrl)
    const head = `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 16777216\r\n\r\n`
    const attacker = new AbortController()
    const held = Array.from({ length: 40 }, () => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(head + ' '.repeat(100_000)))
      attacker.signal.addEventListener('abort', () => socket.destroy())
      socket.on('error', () => {}).resume()
      return once(socket, 'close')
    })
    const bodyBytes = async (): Promise<number> =>
      Number(/^eddy_http_body_bytes (\d+)/m.exec(await (await fetch(`${openUrl}/metrics`)).text())?.[1])
    await vi.waitFor(async () => expect(await bodyBytes()).toBeGreaterThan(50 << 20), 20_000)
    expect(await bodyBytes()).toBeLessThanOrEqual(128 << 20)
    expect(await post(event('beside'))).toBe(200)
    attacker.abort()
    await Promise.all(held)
    await vi.waitFor(async () => expect(await bodyBytes()).toBe(0), 20_000)
  }, 60_000)

  it('with a head that is too large, or many headers, is refused by the server of HTTP', async () => {
    const head = 'GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n'
    expect(await unfinished(`${head}${'x: y\r\n'.repeat(5000)}\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await unfinished(`${head}x: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await send(`${openUrl}/livez`, {})).toBe(200)
  })
})
