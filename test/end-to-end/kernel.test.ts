import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { KERNEL_CHOICES, type Parameters, random, standardNormal } from '@eddy/mixture'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { afterAll, expect, it } from 'vitest'
import { EddyUp } from '../../services/eddy/src/up.ts'
import { eventRecord } from '../../services/ingest/src/event-record.ts'
import { temporaryFolder } from '../eddy-process.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

/** A mini-batch of these is worth threads. */
const COLUMNS = 16
const COMPONENTS = 8
const BATCH = 4096

const names = Array.from({ length: COLUMNS }, (_, j) => `x${j}`)
const features = names.map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)
const uniform = random(1)
const records = Array.from({ length: 2 * BATCH }, (_, n) => {
  const segment = Math.floor(uniform() * COMPONENTS)
  const features = Object.fromEntries(
    names.map((name, j) => [name, 3 * Math.sin(7 * segment + 3 * j) + standardNormal(uniform)]),
  )
  return eventRecord(Buffer.from(JSON.stringify({ customer: `c${n}`, features })))
})

/** The model that `eddy up` learns of the same events. */
async function learned(kernel: string, threads: number): Promise<Parameters> {
  const directory = join(folder.path, `${kernel}-${threads}`)
  const configuration = loadConfiguration(configurationSchema, {
    flags: {
      'model.components': COMPONENTS,
      'model.warmUp.events': 1000,
      'model.batchSize': BATCH,
      // Below it a component of a few events would have a condition that no two orders of addition agree on to 1e-12.
      'model.varianceFloor': 1e-4,
      'model.kernel': kernel,
      'model.threads': threads,
      'log.directory': directory,
    },
  })
  const log = openEmbeddedLog(directory)
  const eddy = new EddyUp({ configuration, features, log, logger: createLogger('silent'), now: Date.now })
  try {
    await eddy.start()
    await log.publish([{ topic: configuration.topics.events, records }])
    await eddy.drained()
    return eddy.snapshot!.parameters
  } finally {
    await eddy.stop()
    await log.close()
  }
}

it.each([0, 2])(
  'learns the same model on either kernel to 1e-12, with %i threads',
  { timeout: 60_000 },
  async threads => {
    const models = new Map<string, Parameters>()
    for (const kernel of KERNEL_CHOICES) models.set(kernel, await learned(kernel, threads))
    const [auto, compiled, reference, rounded] = KERNEL_CHOICES.map(kernel => models.get(kernel)!)
    expect(compiled).toEqual(auto)
    expect(rounded).toEqual(auto)
    // Only the last bits tell that the choice was heeded.
    expect(reference).not.toEqual(auto)
    for (const [name, array] of Object.entries(reference!)) {
      const size = Math.max(...array.map(Math.abs))
      for (const [i, value] of auto![name]!.entries())
        expect(Math.abs(value - array[i]!), name).toBeLessThanOrEqual(1e-12 * size)
    }
  },
)
