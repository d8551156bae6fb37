import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { claim } from './kafkajs-claim.ts'

/*
 * kafkajs 2.2.4 (the version is pinned) loses its place in what a broker says:
 *
 * 1. What has come of an answer when the connection is lost stays in front of what the next connection brings. All answers are then cut
 *    in the wrong places: none is recognised until its request times out, and where a size turns out negative the process spins
 *    for ever. We begin each connection with nothing.
 * 2. Requests that find the connection lost each open a new one, whose answers run together. We open one for all of them.
 * 3. A connection that was given up goes on listening. We close it.
 * 4. A request that comes while a lost connection is being put away is taken, though nobody will answer it, nor look any more
 *    whether it takes too long: who asked waits for ever. We reject it.
 */

interface Connection {
  socket?: Socket
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  readonly host: string
  readonly port: number
  rejectRequests(error: Error): void
  isConnected(): boolean
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
}

const require = createRequire(import.meta.url)
const { KafkaJSConnectionClosedError } = require('kafkajs/src/errors.js') as {
  KafkaJSConnectionClosedError: new (message: string, broker: { readonly host: string; readonly port: number }) => Error
}
/** Bytes of the number that an answer begins with: how many follow. */
const SIZE_BYTES = 4

/** Puts kafkajs's connections right, once a process. */
export function repairConnections(): void {
  const { prototype } = require('kafkajs/src/network/connection.js') as { prototype: Connection }
  if (!claim(prototype, 'connections')) return

  const { connect, disconnect } = prototype
  const connecting = new WeakMap<Connection, Promise<unknown>>()
  prototype.connect = function () {
    const already = connecting.get(this)
    if (already !== undefined) return already
    if (!this.isConnected()) {
      this.chunks = []
      this.bytesBuffered = 0
      this.bytesNeeded = SIZE_BYTES
    }
    const connected = connect.call(this).finally(() => connecting.delete(this))
    connecting.set(this, connected)
    return connected
  }
  prototype.disconnect = async function () {
    const given = this.socket
    const disconnected = await disconnect.call(this)
    const { host, port } = this
    this.rejectRequests(new KafkaJSConnectionClosedError('Closed connection', { host, port }))
    given?.destroySoon()
    return disconnected
  }
}
