import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
import { eraseCustomer } from '../erase-customer.ts'
import { createCertificate } from '../fixtures/certificates.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const started: EddyProcess[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.stop('SIGKILL')
})
const path = (name: string): string => join(folder.path, name)
const config = path('eddy.yaml')
writeFileSync(
  config,
  'model: { components: 3, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\n',
)
const start = (data: string, environment: Record<string, string> = {}, ...flags: string[]): EddyProcess => {
  const running = new EddyProcess(['up', '--config', config, '--data-dir', data, '--port', '0', ...flags], {
    EDDY_LOGGING_LEVEL: 'trace',
    // So that what is looked for in the files would be found.
    EDDY_LOG_COMPRESSION: 'none',
    ...environment,
  })
  started.push(running)
  return running
}
const filesWith = (directory: string, text: string): string[] =>
  readdirSync(directory).filter(name => readFileSync(join(directory, name)).includes(text))
const labelsReach = (url: string, count: number, headers: Record<string, string> = {}): Promise<void> =>
  vi.waitFor(async () => {
    const text = await (await fetch(`${url}/v1/labels?from=earliest&follow=false`, { headers })).text()
    expect(text.split('\n').length - 1).toBe(count)
  }, 15_000)

describe('a secret', () => {
  const canary = 'canary-7f3a9c51e8d24b60'

  it('appears nowhere: not in logs, answers, metrics, errors nor files', async () => {
    writeFileSync(path('token'), canary)
    const data = path('canary')
    const running = start(data, { EDDY_HTTP_TOKEN_FILE: path('token'), KAFKA_SASL_PASSWORD: canary })
    const url = await running.url()
    const headers = { authorization: `Bearer ${canary}` }
    let answers = ''
    for (const route of ['/v1/segments', '/metrics', '/readyz', '/livez', '/none', '/v1/labels?from=x'])
      for (const sent of [headers, { authorization: `Bearer ${canary}x` }, {}]) {
        const response = await fetch(url + route, { headers: sent as Record<string, string> })
        answers += `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}\n`
      }
    expect(answers.match(/^401 /gm)).toHaveLength(8)
    await postEvents(url, syntheticEvents(500), headers)
    await labelsReach(url, 500, headers)
    expect(await running.stop('SIGTERM')).toBe(0)
    const failures = [
      await eddy('up', '--config', config, '--data-dir', data, '--port', 'x'),
      await eddy('inspect', '--data-dir', path('nowhere')),
    ]
    const spoken = [running.stdout, running.stderr, answers, ...failures.flatMap(f => [f.stdout, f.stderr])].join('\n')
    expect(spoken).not.toContain(canary)
    expect(filesWith(data, canary)).toEqual([])
  })
})

describe('customer ids', () => {
  it('are stored as HMACs where a key is given, the same at each start', async () => {
    const data = path('hmac')
    writeFileSync(path('key'), 'k'.repeat(32))
    const running = start(data, {}, '--config', withKey(path('key')))
    const url = await running.url()
    const body = syntheticEvents(400).replaceAll('"customer":"c', '"customer":"alice-')
    await postEvents(url, body)
    await labelsReach(url, 400)
    const text = await (await fetch(`${url}/v1/labels?from=earliest&follow=false`)).text()
    expect(JSON.parse(text.split('\n')[0] as string).customer).toMatch(/^[\w-]{43}$/)
    expect(new Set(text.match(/"customer":"[^"]+"/g)).size).toBe(400)
    expect(await eraseCustomer(url, 'alice-7')).toMatchObject({
      'eddy.labels.v1': 1,
    })
    await running.stop('SIGTERM')
    expect(filesWith(data, 'alice-')).toEqual([])
    expect(running.stderr).toContain('"audit":"forget"')
    expect(running.stderr).not.toContain('alice-')
  })

  it('need a key that can be read and is long enough', async () => {
    writeFileSync(path('short'), 'short')
    const run = await eddy('up', '--config', withKey(path('short')), '--data-dir', path('short-data'), '--port', '0')
    expect(run).toMatchObject({ code: 78, stderr: expect.stringContaining('expected at least 32 bytes') })
  })
})

function withKey(key: string): string {
  const file = `${key}.yaml`
  writeFileSync(file, `${readFileSync(config, 'utf8')}customers: { hmacKeyFile: '${key}' }\n`)
  return file
}

describe('eddy forget', () => {
  it('erases a customer from every topic and every file, running or not, and learning goes on', async () => {
    const data = path('forget')
    const running = start(data)
    const url = await running.url()
    const theirs = '{"customer":"forget-me","features":{"x":1,"y":2}}\n'
    const bad = '{"customer":"forget-me","features":{"x":"forget-me"}}\n{"customer":"forget-me"\n'
    await postEvents(url, syntheticEvents(600) + theirs + bad + theirs)
    await labelsReach(url, 602)
    expect(filesWith(data, 'forget-me')).not.toEqual([])
    const erased = await eddy('forget', 'forget-me', '--url', url)
    expect(JSON.parse(erased.stdout)).toEqual({
      customers: ['forget-me'],
      erasure: expect.any(String),
      forgotten: { 'eddy.events.v1': 4, 'eddy.features.v1': 2, 'eddy.labels.v1': 2, 'eddy.dead-letters.v1': 2 },
    })
    expect(filesWith(data, 'forget-me')).toEqual([])
    await postEvents(url, syntheticEvents(100, 2, 1000) + theirs)
    await labelsReach(url, 701)
    const learned = 'eddy_model_learned_events{model="customers"} 703'
    await vi.waitFor(async () => expect(await (await fetch(`${url}/metrics`)).text()).toContain(learned), 15_000)
    expect(await running.stop('SIGTERM')).toBe(0)
    expect(JSON.parse((await eddy('forget', 'forget-me', '--data-dir', data)).stdout).forgotten).toMatchObject({
      'eddy.labels.v1': 1,
    })
    expect(filesWith(data, 'forget-me')).toEqual([])
    const inspected = JSON.parse((await eddy('inspect', '--json', '--data-dir', data)).stdout)
    expect(inspected.events).toBe(703)
  })
})

describe('erasing over HTTP', () => {
  it('reaches every id that a customer can have, and nobody else', async () => {
    const data = path('hostile-ids')
    const running = start(data)
    const url = await running.url()
    const ids = [
      'd0'.repeat(64),
      '€'.repeat(1024),
      '..',
      '.',
      'a/b?c=d#e',
      '%2e%2e',
      'customer',
      'x',
      'features',
      'x y',
    ]
    const line = (customer: string): string => `${JSON.stringify({ customer, features: { x: 1, y: 2 } })}\n`
    const body = syntheticEvents(400) + ids.map(line).join('')
    expect((await postEvents(url, body)).status).toBe(200)
    await labelsReach(url, 400 + ids.length)
    for (const id of ids) {
      const { stdout, stderr } = await eddy('forget', id, '--url', url)
      expect(JSON.parse(stdout).forgotten, stderr).toMatchObject({ 'eddy.events.v1': 1, 'eddy.labels.v1': 1 })
    }
    await labelsReach(url, 400)
    for (const id of ['', 'c'.repeat(1025)])
      expect((await fetch(`${url}/v1/customers/${id}`, { method: 'DELETE' })).status).toBe(400)
  }, 60_000)

  it('takes several at once, also from a file and without waiting for it', async () => {
    const running = start(path('several'))
    const url = await running.url()
    const line = (customer: string): string => `${JSON.stringify({ customer, features: { x: 1, y: 2 } })}\n`
    const ids = ['one-of-three', 'two of three', 'three']
    expect((await postEvents(url, syntheticEvents(400) + ids.map(line).join(''))).status).toBe(200)
    await labelsReach(url, 403)
    writeFileSync(path('ids'), `${ids[1]}\r\n\n${ids[2]}\n`)
    const { stdout } = await eddy('forget', ids[0]!, '--from-file', path('ids'), '--url', url, '--no-wait')
    const { erasure, ...asked } = JSON.parse(stdout) as { readonly erasure: string }
    expect(asked).toEqual({ customers: ids })
    const told = async () => (await fetch(`${url}/v1/erasures/${erasure}`)).json()
    const done = { state: 'done', customers: 3, erased: { 'eddy.events.v1': 3, 'eddy.labels.v1': 3 } }
    await vi.waitFor(async () => expect(await told()).toMatchObject(done), 15_000)
    expect(await (await fetch(`${url}/v1/erasures`)).json()).toMatchObject({ erasures: [done] })
    expect((await fetch(`${url}/v1/erasures/another`)).status).toBe(404)
    const post = (body: string) =>
      fetch(`${url}/v1/erasures`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    for (const body of ['{}', '{"customers":[1]}', '{"customers":[]}', 'null', '', '{"customers":["",""]}'])
      expect((await post(body)).status, body).toBe(400)
    expect(await eddy('forget')).toMatchObject({ code: 2, stderr: expect.stringContaining('customers: expected') })
  })
})

describe('mutual TLS', () => {
  const certificate = (name: string, authority?: string): void =>
    createCertificate(folder.path, name, authority === undefined ? {} : { authority })
  const get = (url: string, client?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const own =
        client === undefined
          ? {}
          : { cert: readFileSync(path(`${client}.crt`)), key: readFileSync(path(`${client}.key`)) }
      request(url, { ca: readFileSync(path('ca.crt')), agent: false, ...own }, response => {
        response.resume()
        resolve(response.statusCode as number)
      })
        .on('error', reject)
        .end()
    })

  it('asks for a certificate of the authority on everything but probes', async () => {
    certificate('ca')
    certificate('server', 'ca')
    certificate('client', 'ca')
    certificate('stranger')
    const tls = path('tls.yaml')
    const [cert, key, ca] = ['server.crt', 'server.key', 'ca.crt'].map(path)
    writeFileSync(
      tls,
      `${readFileSync(config, 'utf8')}http: { tls: { cert: '${cert}', key: '${key}', clientCa: '${ca}' } }\n`,
    )
    const running = start(path('tls'), {}, '--config', tls)
    const url = await running.url()
    expect(url).toMatch(/^https:/)
    expect(await get(`${url}/metrics`, 'client')).toBe(200)
    expect(await get(`${url}/metrics`)).toBe(401)
    expect(await get(`${url}/metrics`, 'stranger')).toBe(401)
    for (const probe of ['/livez', '/readyz']) expect(await get(url + probe)).toBe(200)
  })
})
