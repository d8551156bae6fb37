import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { HttpError } from '@eddy/runtime'

export interface Question {
  readonly method?: string
  /** sent as it is: `fetch` would take the path `/v1/customers/..` apart */
  readonly path: string
  readonly token?: string | undefined
}

/**
 * Asks a running Eddy.
 * @param url its base URL
 * @throws HttpError when nobody answers
 */
export async function ask(
  url: string,
  { method = 'GET', path, token }: Question,
): Promise<{ readonly status: number; readonly body: string }> {
  const { protocol, hostname, port } = new URL(url)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = protocol === 'https:' ? httpsRequest : httpRequest
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    // An IPv6 address has no brackets here.
    send({ hostname: hostname.replace(/^\[|\]$/g, ''), port, method, path, headers, agent: false }, resolve)
      .on('error', error =>
        reject(
          new HttpError(
            'UNREACHABLE',
            `${url}: expected a running Eddy, got ${(error as NodeJS.ErrnoException).code ?? error.message}. Start it with \`eddy up\`, or name another with --url.`,
            { cause: error },
          ),
        ),
      )
      .end()
  })
  return { status: response.statusCode as number, body: await text(response) }
}
