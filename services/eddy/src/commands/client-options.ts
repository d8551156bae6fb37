import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Command } from 'commander'
import type { Credentials } from '../command-line/ask.ts'
import { UsageError } from '../command-line/exit-code.ts'

/** Flags of every command that asks a running Eddy. */
export interface ClientFlags {
  readonly tokenFile?: string
  readonly cert?: string
  readonly key?: string
  readonly ca?: string
}

export const withClientOptions = (command: Command): Command =>
  command
    .option('--token-file <file>', 'with --url: file that holds our token (or EDDY_HTTP_TOKEN, EDDY_HTTP_TOKEN_FILE)')
    .option('--cert <file>', 'with --url: our certificate (PEM), beside --key')
    .option('--key <file>', 'with --url: private key of --cert (PEM)')
    .option('--ca <file>', 'with --url: authority of the certificate that we are shown (PEM)')

/**
 * What we are known by at running Eddies.
 * @param urls of whom we ask; none where the command works on the log itself
 * @param token of the configuration, which a file given by a flag overrides
 * @throws UsageError for flags that contradict one another, and for files that cannot be used
 */
export function credentialsOf(flags: ClientFlags, urls: readonly string[], token: string | undefined): Credentials {
  const given = (['tokenFile', 'cert', 'key', 'ca'] as const).filter(name => flags[name] !== undefined)
  if (urls.length === 0 && given.length > 0)
    throw new UsageError(`${flag(given[0]!)}: expected --url beside it, got none; without it nobody is asked.`)
  const protocols = urls.map(protocolOf)
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const)
    if (flags[one] !== undefined && flags[other] === undefined)
      throw new UsageError(`--${one}: expected --${other} beside it, got none.`)
  const plain = urls[protocols.indexOf('http:')]
  const tls = given.find(name => name !== 'tokenFile')
  if (plain !== undefined && tls !== undefined)
    throw new UsageError(`--${tls}: expected every --url to begin with https, got ${plain}.`)
  const read = (name: 'cert' | 'key' | 'ca'): Buffer | undefined =>
    flags[name] === undefined ? undefined : readGiven(name, flags[name])
  const pem = { cert: read('cert'), key: read('key'), ca: read('ca') }
  try {
    createSecureContext(pem)
  } catch (error) {
    throw new UsageError(
      `${given
        .filter(name => name !== 'tokenFile')
        .map(flag)
        .join(', ')}: expected PEM files that belong together, got ${(error as Error).message}.`,
    )
  }
  return { token: flags.tokenFile === undefined ? token : tokenIn(flags.tokenFile), ...pem }
}

const flag = (name: keyof ClientFlags): string => (name === 'tokenFile' ? '--token-file' : `--${name}`)

function protocolOf(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined
  if (protocol === 'http:' || protocol === 'https:') return protocol
  throw new UsageError(`--url: expected http://HOST:PORT or https://HOST:PORT, got ${url}.`)
}

function tokenIn(path: string): string {
  const token = readGiven('tokenFile', path).toString().trim()
  if (/^\S+$/.test(token)) return token
  throw new UsageError(
    `--token-file: expected one token without spaces in ${path}, got ${token === '' ? 'none' : 'more'}. It is not the file of http.tokensFile, which is the server's.`,
  )
}

function readGiven(name: keyof ClientFlags, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UsageError(
      `${flag(name)}: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}.`,
    )
  }
}
