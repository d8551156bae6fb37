import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { afterAll, expect, it, vi } from 'vitest'
import { EddyUp } from '../../services/eddy/src/up.ts'
import { eventRecord } from '../../services/ingest/src/event-record.ts'
import { temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const configuration = loadConfiguration(configurationSchema, {
  flags: { 'model.components': 3, 'model.warmUp.events': 1000, 'log.directory': join(folder.path, 'data') },
})
const features = ['x', 'y'].map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)

const lagOfLearning = 'eddy_consumer_lag_records{stage="e-step",partition="0"}'

/** Series by name and labels, without what the Node.js runtime adds when it likes (kinds of handles and of garbage collection). */
async function series(eddy: EddyUp): Promise<string[]> {
  const text = await eddy.metrics.registry.metrics()
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#') && !/^nodejs_(gc|active)/.test(line))
    .map(line => line.slice(0, line.lastIndexOf(' ')))
}

it('has as many series with 100,000 customers as with 5,000', { timeout: 120_000 }, async () => {
  const log = openEmbeddedLog(configuration.log.directory)
  const eddy = new EddyUp({ configuration, features, log, logger: createLogger('silent'), now: Date.now })
  const learn = async (count: number, first: number): Promise<void> => {
    const lines = syntheticEvents(count, first + 1, first)
      .trim()
      .split('\n')
    for (let n = 0; n < lines.length; n += 5000)
      await log.publish([
        {
          topic: configuration.topics.events,
          records: lines.slice(n, n + 5000).map(line => eventRecord(Buffer.from(line))),
        },
      ])
    await eddy.drained()
  }
  try {
    await eddy.start()
    await learn(2000, 0)
    // The warm-up may have taken all of those: only now does the updater fold statistics for certain.
    await learn(3000, 2000)
    // The lag of a stage is looked at once a second.
    await vi.waitFor(async () => expect(await series(eddy)).toContain(lagOfLearning), 10_000)
    const few = await series(eddy)
    await learn(95_000, 5000)
    const many = await series(eddy)
    expect(many).toEqual(few)
    expect(few.length).toBeGreaterThan(150)
    const text = await eddy.metrics.registry.metrics()
    expect(text).toContain('eddy_model_learned_events{model="customers"} 100000')
    // Every metric of the catalogue that needs no HTTP request has a value.
    const silent = eddy.metrics.registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter(name => name.startsWith('eddy_') && !text.includes(`\n${name}`))
    expect(silent).toEqual([
      'eddy_dead_letters_total',
      'eddy_feature_missing_total',
      'eddy_http_request_seconds',
      'eddy_records_skipped_total',
      'eddy_http_events_total',
      'eddy_statistics_refused_total',
    ])
  } finally {
    await eddy.stop()
    await log.close()
  }
})
