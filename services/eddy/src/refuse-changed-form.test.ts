import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { storedSnapshots } from '@eddy/model'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { syntheticEvents } from '../../../test/synthetic-events.ts'
import { fitCommand } from './commands/fit.ts'
import { produceCommand } from './commands/produce.ts'
import { upCommand } from './commands/up.ts'
import { runService } from './start-services.ts'
import { runCommand } from './testing/run-command.ts'

let folder: string
let data: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-form-'))
  data = join(folder, 'data')
})
afterEach(() => rmSync(folder, { recursive: true }))

const learnedWith = { model: 'components: 3', features: '{ name: x }, { name: y }' }
function write(changed: Partial<typeof learnedWith & { name: string }> = {}): string {
  const { model, features, name = 'customers' } = { ...learnedWith, ...changed }
  const config = join(folder, 'eddy.yaml')
  writeFileSync(
    config,
    `model: { name: ${name}, ${model}, batchSize: 64, warmUp: { events: 200 } }\nfeatures: [${features}]\nlog: { directory: ${data} }\nlogging: { level: silent }\n`,
  )
  return config
}

async function up(config: string, events = 300) {
  const input = join(folder, `events-${events}.ndjson`)
  writeFileSync(input, syntheticEvents(events, events))
  const drained = ['--exit-when-drained', '--json', '--port', '0']
  return runCommand(upCommand, ['--config', config, '--replay', input, ...drained])
}

async function stored(): Promise<Record<string, number>> {
  const log = openEmbeddedLog(data, { readOnly: true })
  try {
    const end = async (topic: string) => (await log.offsets(`eddy.${topic}.v1`))[0]!.end
    const [events, features, labels, snapshots] = await Promise.all(
      ['events', 'features', 'labels', 'snapshots'].map(end),
    )
    return { events: events!, features: features!, labels: labels!, snapshots: snapshots! }
  } finally {
    await log.close()
  }
}

describe('a changed form', () => {
  it.each([
    [{ model: 'components: 4' }, /model\.components: expected 3, as model customers .* got 4;.*another model\.name/],
    [{ model: 'components: 3, covariance: diag' }, /model\.covariance: expected full.* got diag/],
    [{ features: '{ name: y }, { name: x }' }, /features: expected x, y.* got y, x;.*--data-dir/],
    [{ features: '{ name: x }, { name: y }, { name: z }' }, /features: expected x, y.* got x, y, z/],
    [{ features: '{ name: x, type: count }, { name: y }' }, /features\.x\.type: expected number.* got count/],
    // Whoever reads the vectors: they are the same for every model.
    [{ features: '{ name: y }, { name: x }', name: 'other' }, /features: expected x, y, as model customers/],
  ])('%j is refused before anything is written', async (change, message) => {
    expect((await up(write())).code).toBe(0)
    const before = await stored()
    const { code, stderr } = await up(write(change), 500)
    expect(stderr).toMatch(message)
    expect(code).toBe(78)
    expect(await stored()).toEqual(before)
  })

  it('a command that appends events refuses it too', async () => {
    const config = write()
    expect((await up(config)).code).toBe(0)
    const before = await stored()
    write({ features: '{ name: y }, { name: x }' })
    const argv = ['--config', config, '--topic', 'events', '--input', join(folder, 'events-300.ndjson')]
    expect((await runCommand(produceCommand, argv)).code).toBe(78)
    expect(await stored()).toEqual(before)
  })

  it('bounds and the step size may change', async () => {
    expect((await up(write())).code).toBe(0)
    const changed = { model: 'components: 3, halfLife: 500', features: '{ name: x, min: -1e6 }, { name: y }' }
    const { code, stdout } = await up(write(changed), 500)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ events: 800, labels: 800 })
  })

  it('a service of its own refuses it too', async () => {
    expect((await up(write())).code).toBe(0)
    const configuration = loadConfiguration(configurationSchema, {
      file: write({ model: 'components: 4' }),
      environment: {},
    })
    const log = openEmbeddedLog(data)
    try {
      const options = { log, configuration, features: configuration.features!, logger: createLogger('silent') }
      for (const name of ['ingest', 'em-worker', 'em-updater', 'scoring'] as const)
        await expect(
          runService({ ...options, name, now: Date.now, signal: AbortSignal.timeout(5000) }),
        ).rejects.toThrow('model.components')
    } finally {
      await log.close()
    }
  })
})

describe('a model of eddy fit', () => {
  const fit = async (components: number): Promise<string> => {
    const model = join(folder, `model-${components}.json`)
    const input = join(folder, 'history.ndjson')
    writeFileSync(input, syntheticEvents(2000, 7))
    const argv = ['--input', input, '--features', 'x,y', '--components', String(components), '--out', model]
    const { code, stderr } = await runCommand(fitCommand, argv)
    expect(code, stderr).toBe(0)
    return model
  }
  const begin = (config: string, model: string) => {
    const input = join(folder, 'events-300.ndjson')
    writeFileSync(input, syntheticEvents(300, 300))
    const argv = [
      '--config',
      config,
      '--replay',
      input,
      '--model',
      model,
      '--exit-when-drained',
      '--json',
      '--port',
      '0',
    ]
    return runCommand(upCommand, argv)
  }

  it('begins a stream, whose first snapshot has its parameters, and no stream that has a model', async () => {
    const model = await fit(3)
    const { code, stderr } = await begin(write(), model)
    expect(code, stderr).toBe(0)
    const log = openEmbeddedLog(data, { readOnly: true })
    const [first] = await storedSnapshots(log, 'eddy.snapshots.v1', () => {})
    await log.close()
    const { parameters } = JSON.parse(readFileSync(model, 'utf8'))
    expect([...first!.parameters.means!]).toEqual(parameters.means)
    expect(await begin(write(), model)).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/--model: expected none, as model customers has snapshot/),
    })
  })

  it('tells its features, components and covariance where the configuration says nothing of them, then and later', async () => {
    const model = await fit(2)
    const config = join(folder, 'silent.yaml')
    writeFileSync(config, `log: { directory: ${data} }\nlogging: { level: silent }\n`)
    const { code, stderr, stdout } = await begin(config, model)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout).segments).toHaveLength(2)
    const input = join(folder, 'events-300.ndjson')
    const again = await runCommand(upCommand, [
      ...['--config', config, '--replay', input, '--exit-when-drained', '--json', '--port', '0'],
    ])
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ events: 300, labels: 300 })
    writeFileSync(config, `model: { components: 4 }\nlog: { directory: ${data} }\n`)
    const other = await runCommand(upCommand, ['--config', config, '--exit-when-drained', '--port', '0'])
    expect(other).toMatchObject({ code: 78, stderr: expect.stringMatching(/model\.components: expected 2.*got 4/) })
  })

  it('is refused where its form is not the configured one', async () => {
    const { code, stderr } = await begin(write(), await fit(2))
    expect(stderr).toMatch(/model\.components: expected 2, as in .*model-2\.json, got 3/)
    expect(code).toBe(78)
  })
})
