import type { Scope } from './scopes.ts'

/** What is needed for a route: a scope; to be `known`, with whatever scopes; or `nothing`. */
export type Need = Scope | 'known' | 'nothing'

/**
 * Every route there is, of every service, with what is needed for it. A route that is not in this table cannot be added to a server.
 * `HEAD` needs what `GET` does, and what is no route at all needs to be asked for by somebody known.
 */
export const routeNeeds: Readonly<Record<string, Need>> = {
  // Of these two strangers are told yes or no, and not why.
  'GET /livez': 'nothing',
  'GET /readyz': 'nothing',
  'GET /metrics': 'known',
  'POST /v1/events': 'produce',
  'GET /v1/labels': 'read',
  'GET /v1/segments': 'read',
  'DELETE /v1/customers/:customer': 'operate',
  'POST /v1/erasures': 'operate',
  'GET /v1/erasures': 'operate',
  'GET /v1/erasures/:id': 'operate',
}

/** @returns undefined for a route that is not in the table */
export const needOf = (method: string, route: string): Need | undefined =>
  routeNeeds[`${method === 'HEAD' ? 'GET' : method} ${route}`]
