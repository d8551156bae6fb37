import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigurationError } from '../configuration.ts'
import { exposure, holderOf, readTokens } from './tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-tokens-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'tokens')
const secret = (letter: string): string => letter.repeat(20)
function read(text: string, mode = 0o600) {
  writeFileSync(path, text)
  chmodSync(path, mode)
  return readTokens(path)
}
function problems(...args: Parameters<typeof read>): readonly string[] {
  try {
    read(...args)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('a file of tokens', () => {
  it('has a name, scopes and a token on each line', () => {
    const tokens = read(
      [
        '# who       scopes         token',
        `shop        produce        ${secret('a')}`,
        '',
        `ops@example read,operate\t${secret('b')}  # until May`,
        `prometheus  -              ${secret('c')}\r`,
        `odd         produce        x#${secret('d')}`,
      ].join('\n'),
    )
    expect(tokens.map(({ name, scopes }) => [name, ...scopes])).toEqual([
      ['shop', 'produce'],
      ['ops@example', 'read', 'operate'],
      ['prometheus'],
      ['odd', 'produce'],
    ])
    expect(holderOf(tokens, secret('b'))?.name).toBe('ops@example')
    expect(holderOf(tokens, `x#${secret('d')}`)?.name).toBe('odd')
    for (const wrong of ['', secret('b').slice(1), `${secret('b')}b`, secret('e')])
      expect(holderOf(tokens, wrong)).toBeUndefined()
  })

  it('is refused with every mistake by its line, and without a word of it, since any may be a token', () => {
    const text = [
      `shop produce ${secret('a')}`,
      `${secret('b')}`,
      `crm ${secret('c')} read`,
      `sh/op read ${secret('d')}`,
      'crm read short',
      `shop read ${secret('e')}`,
      `other read ${secret('a')}`,
      `crm read, produce ${secret('f')}`,
      `crm read,, ${secret('g')}`,
    ].join('\n')
    const found = problems(text)
    expect(found.map(problem => problem.replace(`http.tokensFile: ${path}: `, ''))).toEqual([
      'line 2: expected NAME SCOPES TOKEN, got 1 word',
      expect.stringMatching(/^line 3: scopes: expected some of produce,read,operate/),
      expect.stringMatching(/^line 4: name: expected/),
      'line 5: token: expected at least 16 characters, got 5',
      'line 6: name: expected each name once, got one that is above',
      'line 7: token: expected each token once, got one that is above',
      'line 8: expected NAME SCOPES TOKEN, got 4 words',
      expect.stringMatching(/^line 9: scopes: expected/),
    ])
    expect(found.join()).not.toMatch(/(.)\1{9}/)
    expect(found.join()).not.toContain('sh/op')
  })

  it('is refused where it has no token, or cannot be read', () => {
    expect(problems('# nobody\n\n')).toEqual([expect.stringMatching(/expected a line .* for each client, got none/)])
    rmSync(path)
    expect(() => readTokens(path)).toThrow(`http.tokensFile: expected a readable file, got ENOENT for ${path}`)
    expect(() => readTokens(folder)).toThrow(/http.tokensFile: expected/)
  })

  it('is refused where others may read or write it', () => {
    const text = `shop produce ${secret('a')}`
    for (const mode of [0o604, 0o640, 0o620, 0o602, 0o644])
      expect(problems(text, mode).join()).toContain(`got 0${mode.toString(8)} for ${path}; chmod 600 it`)
    for (const mode of [0o600, 0o400]) expect(problems(text, mode)).toEqual([])
    // Root's, and mounted for the group of a user that is not root.
    expect(exposure({ mode: 0o100440, uid: 0 }, 10001)).toBeUndefined()
    expect(exposure({ mode: 0o100640, uid: 0 }, 10001)).toBeUndefined()
    for (const mode of [0o644, 0o660, 0o650]) expect(exposure({ mode, uid: 0 }, 10001)).toBeDefined()
    expect(exposure({ mode: 0o640, uid: 10001 }, 10001)).toBeDefined()
  })
})
