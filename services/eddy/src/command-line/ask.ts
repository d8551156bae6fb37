import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { HttpError } from '@eddy/runtime'

/** What we are known by, and how we know whom we ask. */
export interface Credentials {
  readonly token?: string | undefined
  /** PEM */
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
  readonly ca?: Buffer | undefined
}

export interface Question {
  readonly method?: string
  /** sent as it is: `fetch` would take the path `/v1/customers/..` apart */
  readonly path: string
  /** sent as JSON */
  readonly body?: unknown
}

/**
 * Asks a running Eddy.
 * @param url its base URL
 * @throws HttpError when nobody answers
 */
export async function ask(
  url: string,
  { method = 'GET', path, body }: Question,
  { token, ...tls }: Credentials,
): Promise<{ readonly status: number; readonly body: string }> {
  const { protocol, hostname, port, pathname } = new URL(url)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = protocol === 'https:' ? httpsRequest : httpRequest
    send(
      {
        // An IPv6 address has no brackets here.
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        method,
        path: pathname.replace(/\/$/, '') + path,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        agent: false,
        ...tls,
      },
      resolve,
    )
      .on('error', error => reject(new HttpError('UNREACHABLE', `${url}: ${unreachable(error)}`, { cause: error })))
      .end(body === undefined ? undefined : JSON.stringify(body))
  })
  return { status: response.statusCode as number, body: await text(response) }
}

function unreachable(error: NodeJS.ErrnoException): string {
  const { code = error.message } = error
  if (/CERT|SIGNATURE|ISSUER/.test(code))
    return `expected a certificate that is trusted here, got ${code}. Name its authority with --ca.`
  return `expected a running Eddy, got ${code}. Start it with \`eddy up\`, or name another with --url.`
}
