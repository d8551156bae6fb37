import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../logger.ts'
import { acceptedMediaTypes, changesNothing, foreignMediaType } from '../media-type.ts'
import { foreignPage, isLoopback } from '../same-site.ts'
import { Access, type AccessOptions } from './access.ts'
import { certificateNames } from './certificate-names.ts'
import { Denials } from './denials.ts'
import { type Need, needOf } from './route-needs.ts'
import type { Client } from './scopes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** who asks, once they are let in */
    client: Client
  }
}

export interface GuardOptions extends AccessOptions {
  /** where it listens */
  readonly host: string
}

/** Why a request is not served. */
interface Refused {
  readonly status: number
  readonly error: string
  readonly by?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Stands before every route of a server: lets in who may, refuses the others, and tells the audit log of them. */
export class Guard {
  readonly #loopback: boolean
  readonly #denials: Denials
  #access: Access
  /** PEM of who signs client certificates. */
  #authority: Buffer | undefined
  /** Connections whose certificate the authority of now has judged. */
  #judged = new WeakSet<Socket>()
  /** Requests that change nothing and have no end yet, such as streams of labels. */
  readonly #reading = new Map<FastifyRequest, FastifyReply>()

  /** @throws {ConfigurationError} if the file of tokens cannot be used */
  constructor(options: GuardOptions, logger: Pick<Logger, 'warn'>, now: () => number = Date.now) {
    this.#loopback = isLoopback(options.host)
    this.#access = new Access(options)
    this.#denials = new Denials(logger, now)
  }

  /**
   * To be called before any route is added.
   * @param authority PEM of who signs client certificates
   */
  protect(server: FastifyInstance, authority?: Buffer): void {
    this.#authority = authority
    server.server.on('secureConnection', socket => this.#judged.add(socket))
    server.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat())
        if (needOf(each, url) === undefined)
          throw new Error(`${each} ${url}: expected a line in the table of what routes need (route-needs.ts), got none`)
    })
    server.decorateRequest('client', null as never)
    server.addHook('onRequest', async (request, reply) => {
      const judged = this.#judge(request)
      if ('status' in judged) {
        this.#tell(request, judged)
        return reply
          .code(judged.status)
          .headers(judged.headers ?? {})
          .send({ error: judged.error })
      }
      request.client = judged
      if (!changesNothing.has(request.method)) return
      this.#reading.set(request, reply)
      reply.raw.once('close', () => this.#reading.delete(request))
    })
  }

  /**
   * From now on others may; who reads and may no longer is cut off. What is being stored is answered. Another authority has signed nothing yet that was shown
   * on a connection there is: who has a certificate must connect anew.
   * @returns whether the authority is another one
   */
  replace(access: Access, authority?: Buffer): boolean {
    this.#access = access
    const another = authority !== undefined && this.#authority?.equals(authority) === false
    if (another) this.#judged = new WeakSet()
    this.#authority = authority
    for (const [request, reply] of this.#reading) {
      const judged = this.#judge(request)
      if (!('status' in judged)) continue
      this.#tell(request, judged)
      reply.raw.destroy()
    }
    return another
  }

  #judge(request: FastifyRequest): Client | Refused {
    const { headers, method } = request
    const socket = request.raw.socket as TLSSocket
    const foreign = foreignPage(headers, method, this.#loopback && this.#access.open)
    if (foreign !== undefined) return { status: 403, error: foreign }
    const judged = this.#access.judge(needOfRequest(request), {
      authorization: headers.authorization,
      certificate: this.#namesOf(socket),
    })
    if ('status' in judged) {
      const { challenge, ...refusal } = judged
      const outdated = socket.authorized && !this.#judged.has(socket) ? { connection: 'close' } : {}
      return { ...refusal, headers: { ...outdated, ...(challenge && { 'www-authenticate': challenge }) } }
    }
    const type = foreignMediaType(headers, method)
    if (type === undefined) return judged
    return { status: 415, error: type, by: judged.name, headers: { accept: acceptedMediaTypes } }
  }

  /** Names of the certificate that the other end has shown, if the authority has signed it. */
  #namesOf(socket: TLSSocket): readonly string[] | undefined {
    return socket.authorized && this.#judged.has(socket) ? certificateNames(socket.getPeerCertificate()) : undefined
  }

  #tell({ method, routeOptions, ip }: FastifyRequest, { status, error, by = 'unknown' }: Refused): void {
    this.#denials.tell({ status, method, route: routeOptions.url ?? 'none', by, from: ip, reason: error })
  }
}

/** What is open to all is so under its very name; what is no route is nobody's to find out about. */
function needOfRequest({ method, url, routeOptions }: FastifyRequest): Need {
  const need = needOf(method, routeOptions.url ?? '') ?? 'known'
  return need === 'nothing' && url !== routeOptions.url ? 'known' : need
}
