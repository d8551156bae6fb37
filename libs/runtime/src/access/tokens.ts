import { createHash, timingSafeEqual } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { ConfigurationError } from '../configuration.ts'
import { type Client, type Scope, scopes } from './scopes.ts'

/** A client that is known by a token. */
export interface Token extends Client {
  /** SHA-256 of the token: digests have one length, whatever is sent */
  readonly digest: Buffer
}

export const shortestToken = 16

export const tokenOf = (name: string, allowed: ReadonlySet<Scope>, text: string): Token => ({
  name,
  scopes: allowed,
  digest: sha256(text),
})

/** Whose token it is. Takes the same time whichever it is, and however much of it is right. */
export function holderOf(tokens: readonly Token[], sent: string): Token | undefined {
  const digest = sha256(sent)
  let holder: Token | undefined
  for (const token of tokens) if (timingSafeEqual(token.digest, digest)) holder = token
  return holder
}

/**
 * Reads a file of tokens: on each line a name, its scopes (joined by commas, `-` for none) and the token; `#` begins a comment.
 * @throws {ConfigurationError} with every mistake by its line; no word of the file is told, since any may be a token
 */
export function readTokens(path: string): Token[] {
  const lines = readPrivately(path).split('\n')
  const problems: string[] = []
  const tokens: Token[] = []
  for (const [i, line] of lines.entries()) {
    const words = line
      .replace(/(^|\s)#.*/, '')
      .split(/\s+/)
      .filter(word => word !== '')
    if (words.length === 0) continue
    const token = tokenOfLine(words, tokens)
    if (typeof token === 'string') problems.push(`http.tokensFile: ${path}: line ${i + 1}: ${token}`)
    else tokens.push(token)
  }
  if (tokens.length === 0 && problems.length === 0)
    problems.push(`http.tokensFile: expected a line \`NAME SCOPES TOKEN\` for each client, got none in ${path}`)
  if (problems.length > 0) throw new ConfigurationError(problems)
  return tokens
}

/** @returns what is wrong with the line, if something is */
function tokenOfLine(words: readonly string[], before: readonly Token[]): Token | string {
  const [name, listed, text] = words
  if (words.length !== 3 || name === undefined || listed === undefined || text === undefined)
    return `expected NAME SCOPES TOKEN, got ${words.length === 1 ? '1 word' : `${words.length} words`}`
  if (!/^[\w.@-]{1,64}$/.test(name))
    return 'name: expected 1 to 64 letters, digits or any of . _ @ -, got something else'
  const allowed = listed === '-' ? [] : listed.split(',')
  if (!allowed.every(isScope))
    return `scopes: expected some of ${scopes.join(',')} (joined by commas, without spaces) or - for none, got something else`
  if (text.length < shortestToken) return `token: expected at least ${shortestToken} characters, got ${text.length}`
  if (before.some(other => other.name === name)) return 'name: expected each name once, got one that is above'
  if (holderOf(before, text) !== undefined) return 'token: expected each token once, got one that is above'
  return tokenOf(name, new Set(allowed), text)
}

const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text)

/** Reads a file that nobody else may read, nor write. */
function readPrivately(path: string): string {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const exposed = exposure(fstatSync(file))
    if (exposed !== undefined)
      throw new ConfigurationError([`http.tokensFile: expected ${exposed} for ${path}; chmod 600 it`])
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigurationError([`http.tokensFile: expected a readable file, got ${code} for ${path}`])
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/**
 * What is wrong with who may read a file; undefined where it is for us alone. Of root's files our group may read too: so are secrets mounted
 * for a user that is not root. Windows has no such modes.
 */
export function exposure({ mode, uid }: Pick<Stats, 'mode' | 'uid'>, ownUid = process.geteuid?.()): string | undefined {
  if (ownUid === undefined) return undefined
  const others = mode & (uid === 0 && ownUid !== 0 ? 0o037 : 0o077)
  if (others === 0) return undefined
  const got = (mode & 0o777).toString(8).padStart(4, '0')
  return `mode 0600, for its owner alone, got ${got}`
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
