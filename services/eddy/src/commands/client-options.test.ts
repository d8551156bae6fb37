import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyPair } from '../../../../test/fixtures/certificates.ts'
import { runCommand } from '../testing/run-command.ts'
import { credentialsOf } from './client-options.ts'
import { forgetCommand } from './forget.ts'
import { topCommand } from './top.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-client-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = (name: string): string => join(folder, name)
let cert: string
const key = path('key.pem')
beforeAll(async () => {
  cert = (await createKeyPair(folder)).certificateFile
  writeFileSync(path('token'), ' one-token \n')
  writeFileSync(path('several'), 'shop produce one-token\n')
  writeFileSync(path('rubbish'), 'rubbish')
})

const https = ['https://eddy:7700']
const http = ['http://eddy:7700']

describe('what a client is known by', () => {
  it('is a token, of a file before the configured one, and a certificate with its key', () => {
    expect(credentialsOf({}, http, 'configured')).toMatchObject({ token: 'configured', cert: undefined })
    expect(credentialsOf({ tokenFile: path('token') }, http, 'configured')).toMatchObject({ token: 'one-token' })
    const known = credentialsOf({ cert, key, ca: cert }, https, undefined)
    expect(known).toMatchObject({ cert: expect.any(Buffer), key: expect.any(Buffer), ca: expect.any(Buffer) })
  })

  it.each([
    [{ cert: 'c' }, https, /^--cert: expected --key beside it/],
    [{ key: 'k' }, https, /^--key: expected --cert beside it/],
    [{ ca: 'c' }, http, /^--ca: expected every --url to begin with https, got http:\/\/eddy:7700/],
    [{ cert: 'c', key: 'k' }, [...https, ...http], /^--cert: expected every --url to begin with https/],
    [{ ca: 'c' }, [], /^--ca: expected --url beside it/],
    [{ tokenFile: 'c' }, [], /^--token-file: expected --url beside it/],
    [{}, ['eddy:7700'], /^--url: expected http:\/\/HOST:PORT or https/],
    [{}, ['nonsense'], /^--url: expected/],
    [{ ca: path('missing') }, https, /^--ca: expected a readable file, got ENOENT/],
    [{ tokenFile: path('missing') }, http, /^--token-file: expected a readable file, got ENOENT/],
    [{ tokenFile: path('several') }, http, /^--token-file: expected one token .*, got more/],
    [{ cert: path('rubbish'), key: path('rubbish') }, https, /^--cert, --key: expected PEM files that belong together/],
  ])('is refused with a word where flags contradict one another or a file is none: %o', (flags, urls, message) => {
    expect(() => credentialsOf(flags, urls, undefined)).toThrow(message)
    expect(() => credentialsOf(flags, urls, undefined)).toThrow(expect.objectContaining({ name: 'UsageError' }))
  })

  it('is sent by each command that asks', async () => {
    const seen: unknown[] = []
    const server = createServer(({ headers, method, url }, response) => {
      seen.push([method, url, headers.authorization])
      const erasure = { id: 'e1', state: 'done', erased: {} }
      response.statusCode = method === 'POST' ? 202 : 200
      response.end(url?.includes('/erasures') ? JSON.stringify(erasure) : '')
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/behind/`
    const flags = ['--url', url, '--token-file', path('token')]
    expect((await runCommand(forgetCommand, ['c/1', ...flags])).code).toBe(0)
    await runCommand(topCommand, ['--once', '--interval', '0.2', ...flags])
    server.close()
    expect(seen.slice(0, 3)).toEqual([
      ['POST', '/behind/v1/erasures', 'Bearer one-token'],
      ['GET', '/behind/v1/erasures/e1', 'Bearer one-token'],
      ['GET', '/behind/metrics', 'Bearer one-token'],
    ])
    expect((await runCommand(forgetCommand, ['c', '--token-file', path('token')])).code).toBe(2)
  })
})
