import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { ConfigurationError } from '../configuration.ts'
import { type HttpOptions, tlsOptions } from '../http-server.ts'
import { Access } from './access.ts'
import type { Guard } from './guard.ts'

/**
 * Takes tokens, certificates and what their names may as they are now; connections stay, but for idle ones where another authority signs certificates.
 * @param began options of the start
 * @throws {ConfigurationError} or what OpenSSL says, if any of them cannot be used: then all stays as it was
 */
export function reread(server: FastifyInstance, guard: Guard, began: HttpOptions, next: HttpOptions): void {
  for (const name of ['cert', 'clientCa'] as const)
    if ((began.tls?.[name] === undefined) !== (next.tls?.[name] === undefined))
      throw new ConfigurationError([
        `http.tls.${name}: expected it to be ${began.tls?.[name] === undefined ? 'absent' : 'given'} as at the start, got otherwise; restart to change that`,
      ])
  const access = new Access(next)
  const tls = tlsOptions(next.tls)
  if (tls !== undefined) {
    createSecureContext(tls)
    ;(server.server as unknown as Server).setSecureContext(tls)
  }
  if (guard.replace(access, tls?.ca)) server.server.closeIdleConnections()
}
