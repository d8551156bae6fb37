import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
const started: EddyProcess[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.stop('SIGKILL')
})
afterAll(() => folder.remove())
const config = join(folder.path, 'eddy.yaml')
/** A third of a second. */
const retentionHours = 1e-4
writeFileSync(
  config,
  `model: { components: 3, batchSize: 100, maxWaitMs: 600000, warmUp: { events: 300 } }
features: [{ name: x }, { name: y }]
log: { retentionHours: ${retentionHours} }
`,
)
const up = (data: string): string[] => ['up', '--config', config, '--data-dir', data, '--port', '0']
const start = (data: string): EddyProcess => {
  const running = new EddyProcess(up(data), { EDDY_LOGGING_LEVEL: 'info' })
  started.push(running)
  return running
}
const post = async (url: string, first: number, count: number): Promise<void> => {
  const body = syntheticEvents(count, 1, first)
  expect((await postEvents(url, body)).status).toBe(200)
}

describe('retention', () => {
  it('drops what every stage has read, says so, and nothing that one has yet to read', async () => {
    const data = join(folder.path, 'waiting')
    const first = start(data)
    await post(await first.url(), 0, 200)
    // The model warms up with more than there is: ingest has read the events, nobody has learned the feature vectors.
    await first.said(/"topic":"eddy.events.v1".*retention dropped/)
    expect(await first.stop('SIGTERM'), first.stderr).toBe(0)
    const running = start(data)
    const url = await running.url()
    await post(url, 200, 200)
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toContain('eddy_model_learned_events{model="customers"} 400')
    }, 30_000)
    await running.said(/"topic":"eddy.features.v1","partition":0,"from":0,"to":400.*retention dropped/)
    expect(await running.stop('SIGTERM')).toBe(0)
    const again = await eddy(...up(data), '--exit-when-drained', '--json')
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ events: 400, labels: 400, deadLetters: 0 })
  })

  it('where records were lost all the same, a command names them and the stages go on', async () => {
    const data = join(folder.path, 'lost')
    const running = start(data)
    await post(await running.url(), 0, 400)
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${await running.url()}/metrics`)).text()
      expect(metrics).toContain('eddy_model_learned_events{model="customers"} 400')
    }, 30_000)
    expect(await running.stop('SIGTERM')).toBe(0)
    expect((await eddy('skip-lost', '--data-dir', data)).stderr).toContain('Nothing is lost')
    const produced = join(folder.path, 'more.ndjson')
    writeFileSync(produced, syntheticEvents(50, 1, 400))
    await eddy('produce', '--topic', 'events', '--input', produced, '--config', config, '--data-dir', data)
    // Another program's retention, which knows of no stage.
    const log = openEmbeddedLog(data)
    await log.publish([{ topic: 'eddy.features.v1', records: [{ key: null, value: Buffer.from('x'), partition: 0 }] }])
    await vi.waitFor(async () => {
      await log.maintain()
      for (const topic of ['eddy.events.v1', 'eddy.features.v1'])
        expect(await log.offsets(topic)).toMatchObject([{ start: topic === 'eddy.events.v1' ? 450 : 401 }])
    }, 10_000)
    await log.close()
    const failed = await eddy(...up(data), '--exit-when-drained')
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected 450 to 450, got 400.*eddy skip-lost/),
    })
    const dry = await eddy('skip-lost', '--dry-run', '--json', '--data-dir', data)
    const skipped = await eddy('skip-lost', '--json', '--data-dir', data)
    expect(skipped.stdout).toBe(dry.stdout)
    const rows = skipped.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    const features = { topic: 'eddy.features.v1', partition: 0, from: 400, to: 401 }
    expect(rows).toEqual([
      { stage: 'ingest', topic: 'eddy.events.v1', partition: 0, from: 400, to: 450 },
      { stage: 'scoring', ...features },
      { stage: 'e-step', ...features },
    ])
    const resumed = start(data)
    const url = await resumed.url()
    await post(url, 450, 200)
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      expect(metrics).toContain('eddy_model_learned_events{model="customers"} 600')
    }, 30_000)
  })
})
