import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { EddyProcess, eddy, replayArguments, temporaryFolder } from '../eddy-process.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
const started: EddyProcess[] = []
const start = (...args: string[]): EddyProcess => {
  const running = new EddyProcess(args)
  started.push(running)
  return running
}
afterEach(async () => {
  for (const running of started.splice(0)) await running.stop('SIGKILL')
})
afterAll(() => folder.remove())

const config = join(folder.path, 'eddy.yaml')
writeFileSync(
  config,
  `model: { name: test, components: 3, batchSize: 256, maxWaitMs: 100, warmUp: { events: 1000 } }
features:
  - { name: x, min: -1000, max: 1000 }
  - { name: y }
`,
)
const lastLine = (text: string): Record<string, unknown> => JSON.parse(text.trim().split('\n').at(-1) as string)
// biome-ignore lint/suspicious/noExplicitAny: JSON of the command line
const ndjson = (text: string): Record<string, any>[] =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

describe('eddy up', () => {
  it('ends by itself where the file is shorter than the warm-up', async () => {
    const input = join(folder.path, 'short.csv')
    const rows = Array.from({ length: 600 }, (_, i) => `c${i},${(i % 3) * 10 + (i % 7) / 3},${(i % 5) / 2}`)
    writeFileSync(input, `customer,a,b\n${rows.join('\n')}\n`)
    const data = join(folder.path, 'short')
    const running = start('up', '--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0')
    expect(await running.exit).toBe(0)
    expect(lastLine(running.stdout)).toMatchObject({ events: 600, labels: 600, deadLetters: 0 })
    // A later start shows the segments that are stored.
    const again = start('up', '--data-dir', data, '--port', '0')
    await again.said(/What to try next|No segments yet/)
    expect(again.stderr).not.toContain('No segments yet')
    expect(again.stderr).toMatch(/ segment +share/)
  })

  it('learns durations of eddy.yaml beside counts, keeps them in snapshots and shows their means', async () => {
    const input = join(folder.path, 'durations.csv')
    // Quantiles of two exponential distributions, of means 0.5 and 60.
    const rows = Array.from({ length: 1500 }, (_, i) => {
      const wait = (i % 3 === 0 ? 0.5 : 60) * -Math.log(1 - ((i * 0.618) % 1))
      return `c${i},${wait},${i % 3 === 0 ? i % 4 : 6 + (i % 4)}`
    })
    writeFileSync(input, `customer,wait,visits\n${rows.join('\n')}\nc,-4,1\n`)
    const durations = join(folder.path, 'durations.yaml')
    writeFileSync(
      durations,
      `model: { name: test, components: 2, batchSize: 256, maxWaitMs: 100, warmUp: { events: 500 } }
features:
  - { name: wait, type: duration }
  - { name: visits, type: count }
`,
    )
    const data = join(folder.path, 'durations')
    const argv = ['--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0']
    const { stdout } = await eddy('up', '--config', durations, ...argv)
    const totals = lastLine(stdout)
    expect(totals).toMatchObject({ events: 1501, labels: 1500, deadLetters: 1 })
    const waits = (totals.segments as { centre: { wait: number } }[]).map(({ centre }) => centre.wait)
    const [short, long] = waits.toSorted((a, b) => a - b)
    expect(Math.abs(short! - 0.5)).toBeLessThan(0.1)
    expect(Math.abs(long! - 60)).toBeLessThan(6)
  })

  it('tells what becomes of each column of a file, and learns those with a missing or a wrong cell too', async () => {
    const input = join(folder.path, 'columns.csv')
    const row = (i: number): string =>
      `c${i % 40},${70_000 + i},${i === 3 ? 'n/a' : (i % 5) * 8 + (i % 7) / 3},${i === 5 ? '12,5' : i % 9},web,${2 + (i % 2)}`
    const rows = Array.from({ length: 300 }, (_, i) => row(i))
    writeFileSync(
      input,
      `customer,order_id,spend,visits,channel,weight\n${rows.join('\n').replace('12,5', '"12,5"')}\n`,
    )
    const data = join(folder.path, 'columns')
    const first = await eddy(
      ...['up', '--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0'],
    )
    for (const line of [
      /^ *customer +– +– +– +– +names the customer$/m,
      /^ *order_id +– +– +– +– +left out: an id: its numbers measure nothing$/m,
      /^ *spend +number +auto +0\.3% +– *$/m,
      /^ *visits +number +auto +– +0\.3% +events with a wrong value are refused$/m,
      /^ *channel +– +– +– +– +left out: text: it can be learned with the type category$/m,
      /^ *weight +– +– +– +– +tells how much an event counts$/m,
    ])
      expect(first.stderr).toMatch(line)
    const totals = lastLine(first.stdout)
    expect(totals).toMatchObject({ events: 300, labels: 299, deadLetters: 1 })
    expect(Object.keys((totals.segments as { centre: object }[])[0]!.centre)).toEqual(['spend', 'visits'])
    const named = join(folder.path, 'columns.yaml')
    writeFileSync(named, 'features: [{ name: visits, type: count }, { name: spned }]\n')
    const misspelt = await eddy(
      'up',
      '--config',
      named,
      '--replay',
      input,
      '--exit-when-drained',
      '--data-dir',
      join(folder.path, 'misspelt'),
      '--port',
      '0',
    )
    expect(misspelt.stderr).toMatch(/^ *visits +count +none +– +0\.3% /m)
    expect(misspelt.stderr).toMatch(
      /^ *spned +number +auto +100\.0% +– +no record has it: is it spelt as in the file\?$/m,
    )
    expect(misspelt.stderr).toMatch(/^ *spend +– .* left out: not among the features$/m)
  })

  it('says what was missing, unknown and refused, and fails where every event was refused', async () => {
    const run = (name: string, lines: readonly string[]) => {
      const input = join(folder.path, `${name}.ndjson`)
      writeFileSync(input, `${lines.join('\n')}\n`)
      const data = join(folder.path, name)
      return eddy('up', '--config', config, '--replay', input, '--exit-when-drained', '--data-dir', data, '--port', '0')
    }
    const x = Array.from({ length: 40 }, (_, i) => i / 7)
    const misspelt = await run('misspelt-key', [
      ...x.map(v => `{"customer":"c","features":{"x":${v},"z":1}}`),
      'broken',
    ])
    expect(misspelt.code).toBe(0)
    expect(misspelt.stderr).toContain('Missing: y 100.0% of 40 events.')
    expect(misspelt.stderr).toContain('Keys that are no features: z (40×). Are they misspelt?')
    expect(misspelt.stderr).toContain('Refused for undecodable: 1, e.g. event: expected JSON')
    const seconds = x.map(v => `{"customer":"c","time":1700000000,"features":{"x":${v},"y":1}}`)
    const refused = await run('all-refused', [...seconds, 'broken'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /events: expected at least one that can be used, got 41 that were refused, most \(40\) for bad-time: time: .*are they seconds\?/,
    )
  })

  it('turns a file into exactly one label an event, and a second run adds nothing', async () => {
    const data = join(folder.path, 'replay')
    const input = join(folder.path, 'events.ndjson')
    writeFileSync(
      input,
      `${syntheticEvents(5000)}{"customer":"bad","features":{"x":1e9}}\nno json\n{"features":{"x":1}}\n`,
    )
    const args = replayArguments({ config, input, data })
    const first = await eddy(...args)
    expect(first.stderr).toContain('Replayed 5,003 events')
    expect(first.code).toBe(0)
    const totals = lastLine(first.stdout)
    expect(totals).toMatchObject({ events: 5003, labels: 5000, deadLetters: 3 })
    expect((totals.segments as { weight: number }[]).reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9)
    for (const { weight } of totals.segments as { weight: number }[]) expect(weight).toBeCloseTo(1 / 3, 1)

    const second = await eddy(...args)
    expect(second.stderr).toContain('5,003 events of')
    expect(lastLine(second.stdout)).toEqual(totals)

    const labels = ndjson(
      (await eddy('tail', '--topic', 'labels', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data))
        .stdout,
    )
    const offsets = labels.map(({ value }) => value.source.offset).sort((a, b) => a - b)
    expect(offsets).toEqual(Array.from({ length: 5000 }, (_, n) => n))
    const inspected = JSON.parse((await eddy('inspect', '--json', '--data-dir', data)).stdout)
    expect(inspected).toMatchObject({
      model: 'test',
      events: 5000,
      ledger: [{ partition: 0, next: 5000, events: 5000 }],
    })
    const dead = ndjson(
      (await eddy('tail', '--topic', 'deadLetters', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data))
        .stdout,
    )
    expect(dead.map(({ headers }) => headers['__connect.errors.exception.class.name'])).toEqual([
      'out-of-bounds',
      'undecodable',
      'missing-customer',
    ])
  })

  it('takes events over HTTP and streams their labels', async () => {
    const running = start('up', '--config', config, '--data-dir', join(folder.path, 'http'), '--port', '0')
    const url = await running.url()
    const post = (body: string): Promise<Response> => postEvents(url, body)
    expect(await (await post(syntheticEvents(1000))).json()).toEqual({ accepted: 1000 })
    const response = await fetch(`${url}/v1/labels?from=earliest`)
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      if (text.split('\n').length > 1000) break
    }
    expect(
      ndjson(text)
        .slice(0, 1000)
        .map(({ source }) => source.offset),
    ).toEqual(Array.from({ length: 1000 }, (_, n) => n))
    expect(await (await fetch(`${url}/v1/segments`)).json()).toMatchObject({ segments: [{}, {}, {}] })
    expect((await post('')).status).toBe(400)
    expect((await post(`{"customer":"c","features":{"x":${' '.repeat(1 << 20)}1}}`)).status).toBe(413)
    expect((await post('x'.repeat(17 << 20))).status).toBe(413)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'eddy_records_processed_total{stage="scoring",partition="0"} 1000',
    )
    expect(await running.stop('SIGINT')).toBe(0)
  })

  it('labels the first events provisionally while its warm-up waits for more', async () => {
    const running = start('up', '--config', config, '--data-dir', join(folder.path, 'provisional'), '--port', '0')
    const url = await running.url()
    const post = (body: string): Promise<Response> => postEvents(url, body)
    await post(syntheticEvents(100))
    const response = await fetch(`${url}/v1/labels?from=earliest`)
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      if (text.split('\n').length > 100) break
    }
    expect(
      ndjson(text)
        .slice(0, 100)
        .every(({ provisional }) => provisional === true),
    ).toBe(true)
    expect(await (await fetch(`${url}/v1/segments`)).json()).toMatchObject({
      provisional: true,
      segments: [{}, {}, {}],
    })
    expect(await running.stop('SIGINT')).toBe(0)
  })

  it('answers 429 when too many events wait', async () => {
    const limited = join(folder.path, 'limited.yaml')
    writeFileSync(limited, 'http: { maxBacklogEvents: 10 }\nfeatures: [{ name: x }, { name: y }]\n')
    const running = start('up', '--config', limited, '--data-dir', join(folder.path, 'limited'), '--port', '0')
    const response = await postEvents(await running.url(), syntheticEvents(11))
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toEqual({ error: expect.stringContaining('at most 10 waiting') })
  })

  it('lets others read while it writes, and only one process write', async () => {
    const data = join(folder.path, 'shared')
    const running = start('up', '--config', config, '--data-dir', data, '--port', '0')
    const url = await running.url()
    await postEvents(url, syntheticEvents(3))
    const tailed = await eddy(
      'tail',
      '--topic',
      'events',
      '--from',
      'earliest',
      '--limit',
      '3',
      '--json',
      '--data-dir',
      data,
    )
    expect(ndjson(tailed.stdout).map(({ key }) => key)).toEqual(['c0', 'c1', 'c2'])
    const second = await eddy('up', '--config', config, '--data-dir', data, '--port', '0')
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/expected .*writ/)
  })

  it('says what is wrong with its flags, its configuration and its input', async () => {
    const data = join(folder.path, 'wrong')
    expect(await eddy('up', '--port', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a port'),
    })
    expect(await eddy('up', '--config', join(folder.path, 'none.yaml'))).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('ENOENT'),
    })
    expect(await eddy('up', '--data-dir', data)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('features: expected'),
    })
    const missing = await eddy('up', '--replay', join(folder.path, 'none.csv'), '--data-dir', data)
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('none.csv: expected a file') })
    expect(await eddy('tail', '--topic', 'labels', '--data-dir', join(folder.path, 'nothing'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected'),
    })
  })
})
