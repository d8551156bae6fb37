import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

type Hostile = (request: IncomingMessage, response: ServerResponse) => void

/** A small registry that speaks the Confluent API, in this process; compatibility is what a test says it is. */
export class RegistryServer {
  /** `method path` of each request */
  readonly requests: string[] = []
  /** schema text by id − firstId */
  readonly schemas: string[] = []
  readonly firstId: number
  readonly #subjects = new Map<string, string[]>()
  /** subjects whose next version is refused, 409 */
  readonly incompatible = new Set<string>()
  writable = true
  credentials: string | undefined
  /** answers instead, once set */
  hostile: Hostile | undefined
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(firstId = 100) {
    this.firstId = firstId
  }

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  add(subject: string, schema: object): number {
    const written = JSON.stringify(schema)
    if (!this.schemas.includes(written)) this.schemas.push(written)
    this.#subjects.set(subject, [...(this.#subjects.get(subject) ?? []), written])
    return this.firstId + this.schemas.indexOf(written)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`)
    if (this.hostile) return this.hostile(request, response)
    const body = await text(request)
    const send = (status: number, value: object): void => {
      response
        .writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
        .end(JSON.stringify(value))
    }
    const expected = this.credentials === undefined ? undefined : `Basic ${btoa(this.credentials)}`
    if (request.headers.authorization !== expected) return send(401, { error_code: 401, message: 'Unauthorized' })
    const parts = new URL(request.url!, 'http://host').pathname.split('/').slice(1).map(decodeURIComponent)
    const schema = body === '' ? '' : (JSON.parse(body) as { schema: string }).schema
    if (parts[0] === 'schemas') {
      const found = this.schemas[Number(parts[2]) - this.firstId]
      return found === undefined ? send(404, { error_code: 40403, message: 'not found' }) : send(200, { schema: found })
    }
    const subject = parts[0] === 'compatibility' ? parts[2]! : parts[1]!
    if (parts[0] === 'compatibility') {
      const bad = this.incompatible.has(subject)
      return send(200, { is_compatible: !bad, messages: bad ? ['reader misses a default'] : [] })
    }
    if (this.#subjects.get(subject)?.includes(schema)) {
      return send(200, { id: this.firstId + this.schemas.indexOf(schema) })
    }
    if (parts.length === 2) return send(404, { error_code: 40401, message: 'Subject not found' })
    if (!this.writable) return send(403, { error_code: 403, message: 'read-only' })
    if (this.incompatible.has(subject)) return send(409, { error_code: 409, message: 'reader misses a default' })
    send(200, { id: this.add(subject, JSON.parse(schema) as object) })
  }
}
