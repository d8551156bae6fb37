// One attack on an address, until it is ended: node -C source test/bench/attacks/attacker.ts NAME URL
import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'

const [name, url] = process.argv.slice(2) as [string, string]
const { port } = new URL(url)
const limit = 16 << 20

const head = (more: string, type = 'application/x-ndjson'): string =>
  `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: ${type}\r\n${more}`

/** Writes to a connection, and again to a new one whenever it ends; `then` goes on with it. */
function hold(first: string | Buffer, then: (write: (text: string) => void) => NodeJS.Timeout | undefined): void {
  const socket = connect(Number(port), '127.0.0.1', () => {
    socket.write(first)
    const timer = then(text => socket.writable && socket.write(text))
    socket.on('close', () => clearInterval(timer))
  })
  socket.on('error', () => {}).on('data', () => {})
  socket.on('close', () => setTimeout(hold, 100, first, then))
}

/** Sends a request, and the next one when it is answered. */
function send(headers: Record<string, string>, body: Buffer): void {
  const again = (): void => void setTimeout(send, 10, headers, body)
  const sent = request(`${url}/v1/events`, { method: 'POST', agent: false, headers }, response => {
    response.resume().on('close', again)
  })
  sent.on('error', again).end(body)
}

const each = (count: number, work: () => void): void => {
  for (let i = 0; i < count; i++) work()
}
const ndjson = { 'content-type': 'application/x-ndjson' }
const event = Buffer.from('{"customer":"c","features":{"x":1,"y":1}}\n')
const escapes = Buffer.from(
  '{"customer":"\\u001b]0;title\\u0007\\u009b2J\\r","features":{"\\u001b[31mx":1}}\n'.repeat(1000),
)

const attacks: Readonly<Record<string, () => void>> = {
  'tiny lines': () => each(2, () => send(ndjson, Buffer.alloc(limit, '1\n'))),
  'decompression bombs': () => {
    const bomb = gzipSync(Buffer.alloc(256 << 20))
    each(2, () => send({ ...ndjson, 'content-encoding': 'gzip' }, bomb))
  },
  'unfinished bodies': () => {
    const most = Buffer.concat([Buffer.from(head(`content-length: ${limit}\r\n\r\n`)), Buffer.alloc(14 << 20, '\n')])
    each(100, () => hold(most, () => undefined))
  },
  'slow bodies': () =>
    each(500, () => hold(head('content-length: 100000\r\n\r\n'), write => setInterval(write, 1000, '1'))),
  'bodies in pieces of a byte': () =>
    each(2, () => hold(head('transfer-encoding: chunked\r\n\r\n') + '1\r\n1\r\n'.repeat(200_000), () => undefined)),
  'slow heads': () => each(500, () => hold(head(''), write => setInterval(write, 1000, 'x: y\r\n'))),
  'large heads': () =>
    each(20, () =>
      send(
        { ...ndjson, ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'y'.repeat(200)])) },
        event,
      ),
    ),
  'foreign hosts': () => each(20, () => send({ ...ndjson, host: 'evil.example' }, event)),
  'forms of foreign pages': () =>
    each(20, () => send({ origin: 'http://evil.example', 'content-type': 'text/plain' }, event)),
  'control characters': () => each(4, () => send(ndjson, escapes)),
}

attacks[name]!()
