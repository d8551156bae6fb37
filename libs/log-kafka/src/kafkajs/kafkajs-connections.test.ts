import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { logLevel } from './kafkajs.ts'
import { repairConnections } from './kafkajs-connections.ts'
import { socketFactory } from './kafkajs-record-batches.ts'

interface Pool {
  readonly pool: readonly { readonly requestQueue: { waitForPendingRequests(): Promise<void> } }[]
  send(protocol: object): Promise<string>
  destroy(): Promise<void>
}

const require = createRequire(import.meta.url)
const ConnectionPool = require('kafkajs/src/network/connectionPool.js') as new (options: object) => Pool
const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => object
const { createLogger } = require('kafkajs/src/loggers/index.js') as {
  createLogger: (options: object) => object
}

let server: Server
let pool: Pool
/** What the broker does with each request: the socket it came by, the number of that socket, and the request's. */
let answer: (socket: Socket, connection: number, correlationId: number) => void
let connections: number

beforeEach(async () => {
  repairConnections()
  connections = 0
  server = createServer(socket => {
    const connection = ++connections
    socket.on('error', () => {})
    socket.on('data', bytes => {
      // A request: its size, api key, version and correlation id; several may come at once.
      for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at))
        answer(socket, connection, bytes.readInt32BE(at + 8))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  pool = new ConnectionPool({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    logger: createLogger({ level: logLevel.NOTHING, logCreator: () => () => {} }),
    socketFactory,
    connectionTimeout: 2_000,
    requestTimeout: 2_000,
  })
})
afterEach(async () => {
  await pool.destroy()
  server.close()
})

/** An answer as it goes over the wire. */
function framed(correlationId: number, text: string): Buffer {
  const frame = Buffer.alloc(8 + text.length)
  frame.writeInt32BE(4 + text.length)
  frame.writeInt32BE(correlationId, 4)
  frame.write(text, 8)
  return frame
}

const ask = (encoded: Promise<void> = Promise.resolve()): Promise<string> =>
  pool.send({
    request: { apiKey: 3, apiVersion: 1, apiName: 'Metadata', encode: () => encoded.then(() => new Encoder()) },
    response: {
      decode: async (bytes: Buffer) => ({ text: bytes.toString() }),
      parse: async ({ text }: { text: string }) => text,
    },
  })

test('an answer that was cut off is not continued by the next connection', async () => {
  answer = (socket, connection, correlationId) => {
    if (connection === 2) socket.write(framed(correlationId, 'answer'))
    else socket.write(framed(correlationId, 'x'.repeat(1_000)).subarray(0, 500), () => socket.destroy())
  }
  await expect(ask()).rejects.toThrow(/[Cc]onnection/)
  await expect(ask()).resolves.toBe('answer')
})

test('a size of nonsense is not met again', async () => {
  answer = (socket, connection, correlationId) => {
    // Begun with a size that, cut in the wrong place, is negative.
    if (connection === 1) socket.write(Buffer.from([0xff, 0xff]), () => socket.destroy())
    else socket.write(framed(correlationId, 'answer'))
  }
  await expect(ask()).rejects.toThrow(/[Cc]onnection/)
  await expect(ask()).resolves.toBe('answer')
})

test('requests that find no connection share one', async () => {
  answer = (socket, connection, correlationId) => socket.write(framed(correlationId, `${connection}`))
  await expect(Promise.all([ask(), ask(), ask()])).resolves.toEqual(['1', '1', '1'])
  expect(connections).toBe(1)
})

test('a request that is ready while a lost connection is put away is rejected', async () => {
  answer = socket => socket.resetAndDestroy()
  const lost = ask()
  const { promise: encoded, resolve } = Promise.withResolvers<void>()
  const late = ask(encoded)
  pool.pool[0]!.requestQueue.waitForPendingRequests = async () => {
    resolve()
    await new Promise(setImmediate)
  }
  await expect(lost).rejects.toThrow('ECONNRESET')
  await expect(late).rejects.toThrow('Closed connection')
})
