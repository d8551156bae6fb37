import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { AccessOptions } from './access/access.ts'
import type { Guard } from './access/guard.ts'
import { stranger } from './access/scopes.ts'
import { BodyBudget } from './body-budget.ts'
import type { BodyShare } from './body-share.ts'
import { ConfigurationError } from './configuration.ts'
import { DiscardAllowance } from './discard-allowance.ts'
import type { Health } from './health.ts'
import { HttpError } from './http-error.ts'
import type { Metrics } from './metrics.ts'
import { readBody } from './read-body.ts'

/** For a request's head, however many bytes it comes in. */
const headTimeoutMs = 10_000

/** Of `AccessOptions`: required by configuration when `host` is not a loopback address; `clientCa` asks for client certificates. */
export interface HttpOptions extends AccessOptions {
  readonly host: string
  /** 0 for any free port */
  readonly port: number
  /** PEM files */
  readonly tls?: AccessOptions['tls'] & {
    readonly cert?: string | undefined
    readonly key?: string | undefined
  }
  /** of one request, as sent and decoded */
  readonly maxBodyBytes: number
  /** of all requests together, until they are answered */
  readonly maxBodiesBytes: number
  /** a body that has not ended then is answered 408 */
  readonly bodyTimeoutMs: number
  readonly maxConnections: number
}

export interface HttpParts {
  readonly health: Health
  readonly metrics: Metrics
  /** who may do what */
  readonly guard: Guard
}

/** The HTTP side every service has: `/livez`, `/readyz`, `/metrics`. Routes of its own are added before `listen`. */
export function createHttpServer(options: HttpOptions, { health, metrics, guard }: HttpParts): FastifyInstance {
  const tls = tlsOptions(options.tls)
  const server: FastifyInstance = fastify({
    connectionTimeout: 30_000,
    // What no handler has seen yet; bodies have a limit of their own, which answers.
    requestTimeout: headTimeoutMs + options.bodyTimeoutMs + 5_000,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
    // Whatever fits into Node's limit of a request's head: an id of 1,024 characters, each as %-escapes of its bytes.
    routerOptions: { maxParamLength: 16_384 },
    ...(tls === undefined ? {} : { https: tls }),
  })
  server.server.maxConnections = options.maxConnections
  server.server.headersTimeout = headTimeoutMs
  guard.protect(server, tls?.ca)
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.httpRequests.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
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
    const told = request.client === stranger ? {} : { reason: notReady }
    return reply.code(503).send({ status: 'not ready', ...told })
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
  const discards = new DiscardAllowance()
  const shares = new WeakMap<FastifyRequest, BodyShare>()
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', async (request: FastifyRequest, message: IncomingMessage) => {
    const { bytes, share } = await readBody(message, { budget, discards, most, timeoutMs })
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

/**
 * What the TLS of a server needs; undefined without. Certificates are asked for here and judged by the guard, so that a probe needs none.
 * @throws {ConfigurationError} if a file cannot be read
 */
export function tlsOptions(tls: HttpOptions['tls']) {
  if (tls?.cert === undefined) return undefined
  const ca =
    tls.clientCa === undefined
      ? {}
      : { ca: pem('clientCa', tls.clientCa), requestCert: true, rejectUnauthorized: false }
  return { cert: pem('cert', tls.cert), key: pem('key', tls.key as string), minVersion: 'TLSv1.2' as const, ...ca }
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
