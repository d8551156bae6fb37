import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
import { createCertificate } from '../fixtures/certificates.ts'
import { hasTool } from '../fixtures/tool.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const started: EddyProcess[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.kill()
})
const path = (name: string): string => join(folder.path, name)
const config = (name: string, http: string): string => {
  writeFileSync(
    path(name),
    `model: { components: 3, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\nhttp: ${http}\n`,
  )
  return path(name)
}
const start = (file: string, environment: Record<string, string> = {}): EddyProcess => {
  const arguments_ = ['up', '--config', file, '--data-dir', `${file}.data`, '--port', '0']
  const running = new EddyProcess(arguments_, { EDDY_LOGGING_LEVEL: 'info', ...environment })
  started.push(running)
  return running
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
/** As who rotates a secret does: the new file takes the place of the old one. */
const replace = (name: string, text: string, mode = 0o600): void => {
  writeFileSync(path(`${name}.new`), text)
  chmodSync(path(`${name}.new`), mode)
  renameSync(path(`${name}.new`), path(name))
}

const [shop, crm, ops, next] = ['shop', 'crm', 'ops', 'next'].map(name => `${name}-0123456789abcdef`) as [
  string,
  string,
  string,
  string,
]

describe('tokens', () => {
  it('may what their scopes say, are read again on SIGHUP, and a bad file changes nothing', async () => {
    const file = config('tokens.yaml', `{ tokensFile: '${path('tokens')}' }`)
    replace('tokens', `shop produce ${shop}\ncrm read ${crm}\nops operate ${ops}\n`)
    const running = start(file)
    const url = await running.url()
    expect((await postEvents(url, syntheticEvents(400), bearer(shop))).status).toBe(200)
    expect((await postEvents(url, syntheticEvents(1), bearer(crm))).status).toBe(403)
    const stream = async (token: string) =>
      (await fetch(`${url}/v1/labels?from=earliest`, { headers: bearer(token) })).body!.getReader()
    const kept = await stream(crm)
    const erase = (token: string): Promise<Response> =>
      fetch(`${url}/v1/customers/c7`, { method: 'DELETE', headers: bearer(token) })
    expect((await erase(shop)).status).toBe(403)
    expect((await erase(ops)).status).toBe(202)
    await running.said(/"audit":"denied".*"route":"\/v1\/customers\/:customer".*"by":"shop"/)
    await running.said(/"audit":"forget","by":"ops","erasure":"[^"]+","customers":\["c7"\]/)

    // Bad ones: what was in force stays, and is said.
    for (const [text, mode, problem] of [
      [`shop produce ${shop}\nhalf a line`, 0o600, /"audit":"reread","reason":"[^"]*line 2: .*stay in force/],
      [`next produce ${next}\n`, 0o644, /"audit":"reread","reason":"[^"]*mode 0600.*stay in force/],
      ['', 0o600, /"audit":"reread","reason":"[^"]*got none.*stay in force/],
    ] as const) {
      replace('tokens', text, mode)
      running.child.kill('SIGHUP')
      await running.said(problem)
      expect((await postEvents(url, syntheticEvents(1), bearer(shop))).status).toBe(200)
      expect((await postEvents(url, syntheticEvents(1), bearer(next))).status).toBe(401)
    }

    // A good one: a new client is let in, one is gone, one may less; streams of who still may go on.
    const other = await stream(crm)
    replace('tokens', `next produce ${next}\ncrm read ${crm}\nops read ${ops}\n`)
    running.child.kill('SIGHUP')
    await running.said(/tokens and certificates were read again/)
    expect((await postEvents(url, syntheticEvents(100, 2, 1000), bearer(next))).status).toBe(200)
    expect((await postEvents(url, syntheticEvents(1), bearer(shop))).status).toBe(401)
    expect((await erase(ops)).status).toBe(403)
    for (const reader of [kept, other]) {
      let text = ''
      while (!text.includes('"c1050"')) {
        const { done, value } = await reader.read()
        expect(done).toBe(false)
        text += Buffer.from(value!).toString()
      }
    }
    replace('tokens', `next produce ${next}\n`)
    running.child.kill('SIGHUP')
    // Who may no longer read is cut off, not let read on.
    await expect(
      (async () => {
        while (!(await kept.read()).done);
      })(),
    ).rejects.toThrow()
    await running.said(/"audit":"denied".*"route":"\/v1\/labels"/)
    for (const secret of [shop, crm, ops, next]) expect(running.stderr + running.stdout).not.toContain(secret)
    expect(await running.stop('SIGTERM')).toBe(0)
  }, 60_000)

  it('are one, as before, and read again where it is in a file', async () => {
    replace('token', `${shop}\n`)
    const running = start(config('token.yaml', '{}'), { EDDY_HTTP_TOKEN_FILE: path('token') })
    const url = await running.url()
    const status = async (token: string): Promise<number> =>
      (await fetch(`${url}/metrics`, { headers: bearer(token) })).status
    expect([await status(shop), await status(next)]).toEqual([200, 401])
    replace('token', next)
    running.child.kill('SIGHUP')
    await running.said(/were read again/)
    expect([await status(shop), await status(next)]).toEqual([401, 200])
    // The whole configuration has to hold.
    writeFileSync(path('token.yaml'), 'http: { tokenFile: x }\n')
    running.child.kill('SIGHUP')
    await running.said(/"reason":"configuration: .*stay in force/)
    expect(await status(next)).toBe(200)
  })

  it('in a file that others may read, or that has none, end the start', async () => {
    replace('open', `shop produce ${shop}\n`, 0o644)
    const run = (tokens: string) => start(config('open.yaml', `{ tokensFile: '${path(tokens)}' }`))
    const open = run('open')
    expect(await open.exit).toBe(78)
    expect(open.stderr).toContain('expected mode 0600, for its owner alone, got 0644')
    expect(await run('missing').exit).toBe(78)
    // The file of several, given as the file of one.
    const several = start(config('several.yaml', '{}'), { EDDY_HTTP_TOKEN_FILE: path('open') })
    expect(await several.exit).toBe(78)
    expect(several.stderr).toContain('for several there is http.tokensFile')
  })
})

describe('certificates', () => {
  it('have scopes by their names, also for our own commands, and are read again on SIGHUP', async () => {
    createCertificate(folder.path, 'ca')
    createCertificate(folder.path, 'other-ca')
    const ours = { authority: 'ca' }
    createCertificate(folder.path, 'server', ours)
    createCertificate(folder.path, 'renewed', ours)
    createCertificate(folder.path, 'shop', { ...ours, alternative: 'DNS:shop.internal' })
    createCertificate(folder.path, 'steward', ours)
    createCertificate(folder.path, 'unlisted', ours)
    createCertificate(folder.path, 'forged', { authority: 'other-ca', alternative: 'DNS:shop.internal' })
    const clients = '[{ name: shop.internal, scopes: [produce] }, { name: steward, scopes: [operate, read] }]'
    const tls = `cert: '${path('live.crt')}', key: '${path('live.key')}', clientCa: '${path('ca.crt')}'`
    const install = (name: string): void => {
      for (const end of ['crt', 'key']) copyFileSync(path(`${name}.${end}`), path(`live.${end}`))
    }
    install('server')
    const file = config('tls.yaml', `{ tls: { ${tls}, clients: ${clients} } }`)
    const running = start(file)
    const url = await running.url()
    const agents: Agent[] = []
    const ca = readFileSync(path('ca.crt'))
    const agentOf = (client?: string): Agent => {
      const own = client && { cert: readFileSync(path(`${client}.crt`)), key: readFileSync(path(`${client}.key`)) }
      const agent = new Agent({ ca, keepAlive: true, maxSockets: 1, ...(own || {}) })
      agents.push(agent)
      return agent
    }
    /** Status, and whose certificate the server has shown. */
    const ask = (agent: Agent, route: string, method = 'GET', body?: string): Promise<[number, string, boolean]> =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/x-ndjson' }
        const sent = request(url + route, { agent, method, headers }, response => {
          const socket = response.socket as import('node:tls').TLSSocket
          const { CN } = socket.getPeerCertificate().subject
          response.resume().once('end', () => resolve([response.statusCode!, String(CN), sent.reusedSocket]))
        })
        sent.on('error', reject).end(body)
      })
    const status = async (client: string | undefined, route: string, method?: string, body?: string) =>
      (await ask(agentOf(client), route, method, body))[0]
    expect(await status('shop', '/v1/events', 'POST', syntheticEvents(3))).toBe(200)
    expect(await status('steward', '/v1/events', 'POST', syntheticEvents(3))).toBe(403)
    expect(await status('shop', '/v1/labels?follow=false')).toBe(403)
    expect(await status('steward', '/v1/labels?follow=false')).toBe(200)
    expect(await status('shop', '/metrics')).toBe(200)
    expect(await status('unlisted', '/metrics')).toBe(403)
    for (const stranger of ['forged', undefined]) {
      expect(await status(stranger, '/metrics')).toBe(401)
      expect(await status(stranger, '/livez')).toBe(200)
    }
    const flags = (client: string): string[] => [
      ...['--url', url, '--ca', path('ca.crt')],
      ...['--cert', path(`${client}.crt`), '--key', path(`${client}.key`)],
    ]
    expect((await eddy('top', '--once', '--interval', '0.2', ...flags('shop'))).code).toBe(0)
    const denied = await eddy('forget', 'c1', ...flags('shop'))
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringMatching(/got 403: scope: expected .* got shop/)])
    expect((await eddy('forget', 'c1', ...flags('steward'))).code).toBe(0)
    const untrusting = await eddy('forget', 'c1', '--url', url)
    expect([untrusting.code, untrusting.stderr]).toEqual([1, expect.stringMatching(/trusted here, got .*--ca/)])
    await running.said(/"audit":"denied".*"by":"shop.internal"/)
    await running.said(/"audit":"forget","by":"steward","erasure":"[^"]+","customers":\["c1"\]/)

    // The certificate is renewed, a name may more: connections stay, and new ones see it.
    const kept = agentOf('shop')
    expect(await ask(kept, '/v1/labels?follow=false')).toEqual([403, 'server', false])
    // A key that is not the certificate's: all stays.
    copyFileSync(path('renewed.crt'), path('live.crt'))
    config('tls.yaml', `{ tls: { ${tls}, clients: ${clients.replace('[produce]', '[produce, read]')} } }`)
    running.child.kill('SIGHUP')
    await running.said(/"audit":"reread","reason":"[^"]*mismatch.*stay in force/)
    expect((await ask(agentOf('steward'), '/livez'))[1]).toBe('server')
    expect(await ask(kept, '/v1/labels?follow=false')).toEqual([403, 'server', true])
    install('renewed')
    running.child.kill('SIGHUP')
    await running.said(/were read again/)
    expect(await ask(kept, '/v1/labels?follow=false')).toEqual([200, 'server', true])
    expect(await ask(agentOf('shop'), '/v1/labels?follow=false')).toEqual([200, 'renewed', false])
    expect(await status('forged', '/metrics')).toBe(401)
    // Another authority: no certificate of the old one is good any more, on no connection.
    const streaming = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(`${url}/v1/labels?from=earliest`, { agent: agentOf('shop') }, resolve)
        .on('error', reject)
        .end()
    })
    const cut = new Promise(resolve =>
      streaming
        .resume()
        .once('close', resolve)
        .once('error', () => {}),
    )
    copyFileSync(path('other-ca.crt'), path('ca.crt'))
    running.child.kill('SIGHUP')
    await running.said(/were read again.*were read again/s)
    await cut
    expect(await ask(kept, '/metrics')).toEqual([401, 'renewed', false])
    expect(await status('shop', '/metrics')).toBe(401)
    expect(await status('forged', '/metrics')).toBe(200)
    writeFileSync(path('ca.crt'), ca)
    running.child.kill('SIGHUP')
    await running.said(/(were read again.*){3}/s)
    expect(await status('forged', '/metrics')).toBe(401)
    // What cannot be changed while connections are open.
    config('tls.yaml', '{}')
    running.child.kill('SIGHUP')
    await running.said(/"reason":"[^"]*http.tls.cert: expected it to be given as at the start/)
    expect(await status('shop', '/metrics')).toBe(200)
    for (const agent of agents) agent.destroy()
  }, 90_000)
})

describe('a hangup', () => {
  it.runIf(hasTool('python3', 'apt-get install python3', '--version'))(
    'of the terminal ends the process, as ever',
    async () => {
      const file = config('terminal.yaml', '{}')
      // A terminal of its own, closed once Eddy is up: all of Eddy ends, so that another can take the directory.
      const script = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
seen = b''
while b'is up' not in seen: seen += os.read(terminal, 4096)
os.close(terminal)
os.waitpid(pid, 0)`
      const bin = join(import.meta.dirname, '../../services/eddy/bin/eddy.cjs')
      const up = [bin, 'up', '--config', file, '--data-dir', `${file}.data`, '--port', '0']
      const env = { ...process.env, EDDY_LOGGING_LEVEL: 'silent' }
      execFileSync('python3', ['-c', script, process.execPath, ...up], { timeout: 30_000, env })
      const again = await eddy(...up.slice(1), '--exit-when-drained')
      expect(again.code, again.stderr).toBe(0)
    },
    90_000,
  )
})
