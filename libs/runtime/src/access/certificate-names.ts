import type { PeerCertificate } from 'node:tls'

/**
 * The names that an authority has given the holder of a certificate: the common name of its subject, and the DNS names, URIs and e-mail
 * addresses among its alternative names. Literally: `*.example` is a name like any other.
 */
export function certificateNames({
  subject,
  subjectaltname,
}: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): string[] {
  const common: unknown = subject?.CN
  return [common, ...alternativeNames(subjectaltname ?? '')].flat().filter(name => typeof name === 'string')
}

const nameTypes = new Set(['DNS', 'URI', 'email'])

/** Node writes `DNS:a, URI:b`; a value with a comma or a quote, which could pass for two names, is a JSON string. */
function alternativeNames(text: string): string[] {
  const entry = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y
  const names: string[] = []
  while (entry.lastIndex < text.length) {
    const match = entry.exec(text)
    // What cannot be read names nobody.
    if (match === null) return []
    const [, type, value] = match as unknown as [string, string, string]
    if (nameTypes.has(type)) names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value)
  }
  return names
}
