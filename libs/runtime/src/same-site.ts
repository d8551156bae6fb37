import type { IncomingHttpHeaders } from 'node:http'

/** Names under which this machine reaches itself. */
export const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)

/**
 * Why a request that a page of another site may have made is refused; undefined where it may pass. A browser lets any page send requests
 * here, and lets it read the answers where its own name has been made to lead here (DNS rebinding): without a token or a certificate to ask
 * for, what the browser says of the page is all there is to go by.
 * @param openToAll whether nothing else is asked of who sends a request: then it must have named this machine itself
 */
export function foreignPage(headers: IncomingHttpHeaders, method: string, openToAll: boolean): string | undefined {
  const { host = '', origin } = headers
  if (openToAll && !isLoopback(nameOf(host)))
    return `host: expected a loopback name such as 127.0.0.1, got ${JSON.stringify(host)}; set http.token to be reached under other names`
  if (origin !== undefined && originHost(origin) !== host.toLowerCase())
    return `origin: expected none, or this server's own, got ${JSON.stringify(origin)}`
  // Following a link to a page is no harm: the site it is on cannot read what comes.
  const follows = method === 'GET' && headers['sec-fetch-dest'] === 'document'
  // A page that another port of this machine serves is of the same site, and no less foreign.
  const site = headers['sec-fetch-site'] ?? 'none'
  if (site !== 'none' && site !== 'same-origin' && !follows)
    return `sec-fetch-site: expected none or same-origin, got ${JSON.stringify(site)}`
  return undefined
}

/** Without its port. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d{1,5}$/, '')

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}
