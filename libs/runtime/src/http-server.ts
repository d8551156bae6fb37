import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { BodyBudget } from './body-budget.ts'
import type { BodyShare } from './body-share.ts'
import { ConfigurationError } from './configuration.ts'
import type { Health } from './health.ts'
import { HttpError } from './http-error.ts'
import { acceptedMediaTypes, foreignMediaType } from './media-type.ts'
import type { Metrics } from './metrics.ts'
import { readBody } from './read-body.ts'
import { foreignPage, isLoopback } from './same-site.ts'

/** For a request's head, however many bytes it comes in. */
const headTimeoutMs = 10_000

export interface HttpOptions {
  readonly host: string
  /** 0 for any free port */
  readonly port: number
  /** Bearer token for everything but probes; required by configuration when `host` is not a loopback address. */
  readonly token?: string | undefined
  /** PEM files; `clientCa` asks for client certificates (mutual TLS) on everything but probes. */
  readonly tls?: {
    readonly cert?: string | undefined
    readonly key?: string | undefined
    readonly clientCa?: string | undefined
  }
  /** of one request, as sent and decoded */
  readonly maxBodyBytes: number
  /** of all requests together, until they are answered */
  readonly maxBodiesBytes: number
  /** a body that has not ended then is answered 408 */
  readonly bodyTimeoutMs: number
  readonly maxConnections: number
}

/** Asked by whoever supervises the process, without a token or a certificate: they are told yes or no, and not why. */
const probes: ReadonlySet<string> = new Set(['/livez', '/readyz'])

/** The HTTP side every service has: `/livez`, `/readyz`, `/metrics`. Routes of its own are added before `listen`. */
export function createHttpServer(options: HttpOptions, health: Health, metrics: Metrics): FastifyInstance {
  const server = fastify({
    connectionTimeout: 30_000,
    // What no handler has seen yet; bodies have a limit of their own, which answers.
    requestTimeout: headTimeoutMs + options.bodyTimeoutMs + 5_000,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
    // Whatever fits into Node's limit of a request's head: an id of 1,024 characters, each as %-escapes of its bytes.
    routerOptions: { maxParamLength: 16_384 },
    ...tlsOptions(options.tls),
  })
  server.server.maxConnections = options.maxConnections
  server.server.headersTimeout = headTimeoutMs
  const { token } = options
  const openToAll = isLoopback(options.host) && token === undefined && options.tls?.clientCa === undefined
  server.addHook('onRequest', async (request, reply) => {
    const foreign = foreignPage(request.headers, request.method, openToAll)
    if (foreign !== undefined) await reply.code(403).send({ error: foreign })
  })
  const isKnown = ({ headers, raw }: FastifyRequest): boolean =>
    (token === undefined || sameText(bearerOf(headers.authorization), token)) &&
    (options.tls?.clientCa === undefined || (raw.socket as TLSSocket).authorized)
  server.addHook('onRequest', async (request, reply) => {
    if (token === undefined || probes.has(request.url) || sameText(bearerOf(request.headers.authorization), token))
      return
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'authorization: expected a bearer token (http.token)' })
  })
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.httpRequests.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })
  if (options.tls?.clientCa !== undefined)
    server.addHook('onRequest', async (request, reply) => {
      if (probes.has(request.url) || (request.raw.socket as TLSSocket).authorized) return
      await reply.code(401).send({ error: 'certificate: expected a client certificate signed by http.tls.clientCa' })
    })
  server.addHook('onRequest', async (request, reply) => {
    const foreign = foreignMediaType(request.headers, request.method)
    if (foreign !== undefined) await reply.code(415).header('accept', acceptedMediaTypes).send({ error: foreign })
  })
  takeBodies(server, options, metrics)
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error.statusCode === 503) reply.header('retry-after', '1')
    return reply.code(error.statusCode ?? 500).send({ error: error.message })
  })
  server.get('/livez', (_request, reply) => {
    const { stalled } = health
    return stalled.length === 0 ? { status: 'ok' } : reply.code(503).send({ status: 'stalled', partitions: stalled })
  })
  server.get('/readyz', (request, reply) => {
    const { notReady } = health
    if (notReady === undefined) return { status: 'ready' }
    return reply.code(503).send({ status: 'not ready', ...(isKnown(request) ? { reason: notReady } : {}) })
  })
  server.get('/metrics', async (_request, reply) => {
    metrics.ready.set(health.notReady === undefined ? 1 : 0)
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  return server
}

/** Bodies are bytes, without their content coding: who takes one reads it. */
function takeBodies(
  server: FastifyInstance,
  { maxBodyBytes: most, maxBodiesBytes, bodyTimeoutMs: timeoutMs }: HttpOptions,
  metrics: Metrics,
): void {
  const budget = new BodyBudget(maxBodiesBytes)
  const shares = new WeakMap<FastifyRequest, BodyShare>()
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', async (request: FastifyRequest, message: IncomingMessage) => {
    const { bytes, share } = await readBody(message, { budget, most, timeoutMs })
    shares.set(request, share)
    return bytes
  })
  // What was to be done with it is done, also where nobody waits for the answer any more.
  server.addHook('onSend', async request => shares.get(request)?.release())
  metrics.onRead.push(() => metrics.httpBodyBytes.set(budget.taken))
}

/**
 * Listens; an occupied port or a refused address becomes an error that says what to do. Returns the port.
 * @param mayMove to a free port where the given one is taken
 */
export async function listen(
  server: FastifyInstance,
  { host, port, mayMove = false }: Pick<HttpOptions, 'host' | 'port'> & { readonly mayMove?: boolean },
): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && mayMove) return listen(server, { host, port: 0 })
    if (code === 'EADDRINUSE')
      throw new HttpError(
        'PORT_TAKEN',
        `http.port: expected a free port, got ${port} which another process uses; choose one with --port (0 for any)`,
      )
    throw new HttpError(
      'CANNOT_LISTEN',
      `http: expected to listen on ${host}:${port}, got ${code ?? (error as Error).message}. Choose another http.host.`,
      { cause: error },
    )
  }
  const address = server.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** Certificates are asked for and judged by the hook above, so that a probe needs none. */
function tlsOptions(tls: HttpOptions['tls']): object {
  if (tls?.cert === undefined) return {}
  const ca =
    tls.clientCa === undefined
      ? {}
      : { ca: pem('clientCa', tls.clientCa), requestCert: true, rejectUnauthorized: false }
  return { https: { cert: pem('cert', tls.cert), key: pem('key', tls.key as string), minVersion: 'TLSv1.2', ...ca } }
}

function pem(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigurationError([
      `http.tls.${name}: expected a readable PEM file, got ${(error as NodeJS.ErrnoException).code} for ${path}`,
    ])
  }
}

/** The token of `Bearer TOKEN`; the scheme's name is in any case (RFC 9110, section 11.1). */
const bearerOf = (authorization = ''): string => /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''

/** Compares in constant time: digests have one length, whatever was sent. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
