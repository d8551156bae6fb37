import type { IncomingHttpHeaders } from 'node:http'
import type { Need } from './route-needs.ts'
import { type Client, everyScope, type Scope, stranger } from './scopes.ts'
import { holderOf, readTokens, type Token, tokenOf } from './tokens.ts'

/** What is asked of clients. With neither tokens nor certificates, nothing. */
export interface AccessOptions {
  /** A bearer token with every scope. */
  readonly token?: string | undefined
  /** A bearer token for `/metrics` alone. */
  readonly metricsToken?: string | undefined
  /** Path of a file of tokens, each with its scopes (`readTokens`). */
  readonly tokensFile?: string | undefined
  readonly tls?:
    | {
        /** PEM file of the authority of client certificates. */
        readonly clientCa?: string | undefined
        /** What each certificate may, by one of its names; without it any certificate of the authority may everything. */
        readonly clients?: readonly { readonly name: string; readonly scopes: readonly Scope[] }[] | undefined
      }
    | undefined
}

/** Why a request is not served. */
export interface Refusal {
  readonly status: 401 | 403
  readonly error: string
  /** of `WWW-Authenticate` (RFC 6750, section 3), where tokens are asked for */
  readonly challenge?: string
  /** whom the request came from, where that is known */
  readonly by?: string
}

/** What a request brings to be known by. */
export interface Presented {
  readonly authorization: IncomingHttpHeaders['authorization']
  /** names of its client certificate; undefined without one that the authority has signed */
  readonly certificate: readonly string[] | undefined
}

/** Who may do what; where both tokens and certificates are asked for, what both allow. */
export class Access {
  readonly #tokens: readonly Token[] | undefined
  readonly #certificates: boolean
  readonly #named: ReadonlyMap<string, readonly Scope[]> | undefined

  /** @throws {ConfigurationError} if the file of tokens cannot be used */
  constructor({ token, metricsToken, tokensFile, tls }: AccessOptions) {
    const single = token === undefined ? [] : [tokenOf('http.token', everyScope, token)]
    const scraper = metricsToken === undefined ? [] : [tokenOf('http.metricsToken', new Set(), metricsToken)]
    const several = tokensFile === undefined ? [] : readTokens(tokensFile)
    const tokens = [...single, ...scraper, ...several]
    this.#tokens = tokens.length === 0 ? undefined : tokens
    this.#certificates = tls?.clientCa !== undefined
    this.#named = tls?.clients && new Map(tls.clients.map(({ name, scopes }) => [name, scopes]))
  }

  /** Whether nothing is asked of anybody. */
  get open(): boolean {
    return this.#tokens === undefined && !this.#certificates
  }

  /** Who asks, if they may. */
  judge(need: Need, presented: Presented): Client | Refusal {
    if (this.open) return { name: 'anybody', scopes: everyScope }
    if (need === 'nothing') {
      const known = this.judge('known', presented)
      return 'status' in known ? stranger : known
    }
    const certified = this.#certificates ? this.#certified(presented.certificate) : undefined
    if (certified !== undefined && 'status' in certified) return certified
    const bearer = this.#tokens === undefined ? undefined : bearerOf(this.#tokens, presented.authorization, need)
    if (bearer !== undefined && 'status' in bearer) return bearer
    const client = both(bearer, certified)
    if (need === 'known' || client.scopes.has(need)) return client
    return {
      status: 403,
      error: `scope: expected a client that may ${need}, got ${client.name}, which may ${[...client.scopes].join(', ') || 'do nothing'}`,
      by: client.name,
      ...(this.#tokens && { challenge: `Bearer realm="eddy", error="insufficient_scope", scope="${need}"` }),
    }
  }

  #certified(names: readonly string[] | undefined): Client | Refusal {
    if (names === undefined)
      return { status: 401, error: 'certificate: expected a client certificate signed by http.tls.clientCa' }
    const named = this.#named
    const first = names[0] ?? 'a certificate without a name'
    if (named === undefined) return { name: first, scopes: everyScope }
    const listed = names.filter(name => named.has(name))
    if (listed.length > 0)
      return { name: listed[0]!, scopes: new Set(listed.flatMap(name => named.get(name) as readonly Scope[])) }
    return {
      status: 403,
      error: `certificate: expected a name of http.tls.clients, got ${JSON.stringify(first)}`,
      by: first,
    }
  }
}

function bearerOf(tokens: readonly Token[], authorization: string | undefined, need: Need): Client | Refusal {
  const sent = bearerToken(authorization)
  const holder = holderOf(tokens, sent ?? '')
  if (holder !== undefined) return holder
  const scope = need === 'known' ? '' : `, scope="${need}"`
  // Who sent none at all has made no mistake yet (RFC 6750, section 3.1).
  const wrong = sent === undefined ? '' : ', error="invalid_token"'
  return {
    status: 401,
    error: 'authorization: expected a bearer token that is known here (http.token or http.tokensFile)',
    challenge: `Bearer realm="eddy"${wrong}${scope}`,
  }
}

/** The token of `Bearer TOKEN`; the scheme's name is in any case (RFC 9110, section 11.1). */
const bearerToken = (authorization = ''): string | undefined => /^bearer +(\S+)$/i.exec(authorization)?.[1]

/** What each allows; at least one is there. */
function both(one: Client | undefined, other: Client | undefined): Client {
  if (one === undefined || other === undefined) return (one ?? other) as Client
  const scopes = new Set([...one.scopes].filter(scope => other.scopes.has(scope)))
  return { name: `${one.name}, ${other.name}`, scopes }
}
