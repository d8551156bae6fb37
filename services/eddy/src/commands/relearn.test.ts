import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncValues } from '@eddy/log'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { type Label, labelCodec, type Snapshot } from '@eddy/messages'
import { newestSnapshot } from '@eddy/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { random, standardNormal } from '../../../../libs/mixture/src/numerics/random.ts'
import { runCommand } from '../testing/run-command.ts'
import { inspectCommand } from './inspect.ts'
import { modelsCommand } from './models.ts'
import { relearnCommand } from './relearn.ts'
import { upCommand } from './up.ts'

let folder: string
let data: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-relearn-'))
  data = join(folder, 'data')
})
afterEach(() => rmSync(folder, { recursive: true }))

const learnedWith = { model: 'components: 2', features: '{ name: x }, { name: y }' }
function write(changed: Partial<typeof learnedWith & { name: string; partitions: number }> = {}): string {
  const { model, features, name = 'customers', partitions = 1 } = { ...learnedWith, ...changed }
  const config = join(folder, `${model}-${features}-${name}.yaml`.replaceAll(/[^\w.]/g, ''))
  writeFileSync(
    config,
    `model: { name: ${name}, ${model}, batchSize: 64, warmUp: { events: 200 } }\nfeatures: [${features}]\nlog: { directory: ${data}, partitions: ${partitions} }\nlogging: { level: silent }\n`,
  )
  return config
}
const three = { model: 'components: 3' }

/** Three well-separated groups in x and y; z tells two halves of each apart. */
function events(count: number, seed: number): string {
  const next = random(seed)
  const lines = Array.from({ length: count }, (_, n) => {
    const group = Math.floor(next() * 3)
    const at = (centre: number) => centre + standardNormal(next)
    const features = { x: at(group === 1 ? 8 : 0), y: at(group === 2 ? 8 : 0), z: at(next() < 0.5 ? 0 : 20) }
    return JSON.stringify({ customer: `c${seed}-${n}`, features })
  })
  return `${lines.join('\n')}\n`
}

/** Replays so many new events until all are learned and labelled. */
async function up(config: string, count: number, seed: number) {
  const input = join(folder, `events-${seed}.ndjson`)
  writeFileSync(input, events(count, seed))
  const argv = ['--config', config, '--replay', input, '--exit-when-drained', '--json', '--port', '0']
  return runCommand(upCommand, argv)
}

/** @throws unless it succeeds */
async function learned(config: string, count: number, seed = 1): Promise<{ events: number; labels: number }> {
  const { code, stdout, stderr } = await up(config, count, seed)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

const relearn = (config: string, ...flags: string[]) => runCommand(relearnCommand, ['--config', config, ...flags])

/** @throws unless it succeeds */
async function relearned(config: string, ...flags: string[]) {
  const { code, stdout, stderr } = await relearn(config, ...flags, '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

async function inLog<T>(look: (log: EmbeddedLog) => Promise<T>): Promise<T> {
  const log = openEmbeddedLog(data, { readOnly: true })
  try {
    return await look(log)
  } finally {
    await log.close()
  }
}

const newest = (): Promise<Snapshot> =>
  inLog(async log => (await newestSnapshot({ log, topic: 'eddy.snapshots.v1', model: 'customers' }))!)

const labels = (): Promise<Label[]> =>
  inLog(async log => {
    const found: Label[] = []
    for await (const delivery of asyncValues(log.consume('eddy.labels.v1', { from: 'earliest', untilEnd: true }))) {
      found.push(...delivery.records.map(({ value }) => labelCodec.decode(value as Uint8Array)))
      delivery.ack()
    }
    return found
  })

const learnedEvents = (snapshot: Snapshot): number =>
  Number(snapshot.ledger.reduce((sum, entry) => sum + entry.events, 0n))
const ids = (snapshot: Snapshot): string[] => snapshot.segments.map(({ id }) => id).sort()

/** Whether ledger, vectors and events agree. */
const expectEqual = async (config: string): Promise<void> =>
  expect(await runCommand(inspectCommand, ['--ledger', '--compare', '--config', config])).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/equal$/m),
  })

describe('eddy relearn', () => {
  it('learns another number of segments beside the model, compares, and goes on with it; nothing is learned twice', async () => {
    const [stored, wanted] = [write(), write(three)]
    await learned(stored, 500)
    const before = await newest()
    const told = await relearned(wanted)
    expect(told).toMatchObject({ model: 'customers', snapshot: Number(before.version) })
    expect(told.form).toMatchObject({ stored: { segments: '2' }, relearned: { segments: '3' } })
    expect(told.heldOut.events).toBe(125)
    expect(told.heldOut.gain).toBeGreaterThan(0.1)
    expect(told.heldOut.gain).toBeGreaterThan(2 * told.heldOut.gainError)
    const shares = told.segments.flatMap(({ sharedWith }: { sharedWith: object }) => Object.values(sharedWith))
    expect(shares).toHaveLength(6)
    expect(shares.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 9)
    // Until it is promoted, nothing has changed.
    expect(await newest()).toEqual(before)

    expect(await relearned(wanted, '--promote')).toMatchObject({ snapshot: Number(before.version) + 1 })
    await expectEqual(wanted)
    expect(await learned(wanted, 300, 2)).toMatchObject({ events: 800, labels: 800 })
    expect(learnedEvents(await newest())).toBe(800)
    await expectEqual(wanted)
    const refused = await up(stored, 1, 3)
    expect(refused.code).toBe(78)
    expect(refused.stderr).toMatch(/model\.components: expected 3, as model customers .* got 2; .*`eddy relearn`/)
  })

  it('shows a table', async () => {
    await learned(write(), 500)
    const { code, stdout, stderr } = await relearn(write({ model: 'components: 3, covariance: diag' }))
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/customers@\d+\s+learned anew/)
    expect(stdout).toMatch(/segments\s+2\s+3\n/)
    expect(stdout).toMatch(/covariance\s+full\s+diag\n/)
    expect(stdout).toMatch(/log-likelihood of an event, nats\s+-\d+\.\d{4}\s+-\d+\.\d{4}\n/)
    expect(stdout).toMatch(/gain \d\.\d{4} ± 0\.\d{4} nats an event, on 125 events/)
    expect(stdout).toMatch(/s3 \(new\)\s+[\d.]+%\s+[\d.]+%/)
    expect(stderr).toContain('--promote')
  })

  it('keeps the ids of segments that are the same, with more or fewer of them, and numbers new ones on', async () => {
    await learned(write(three), 600)
    const before = await newest()
    const shareOf = ({ segments }: { segments: { id: string; sharedWith: Record<string, number> }[] }, id: string) =>
      segments.find(segment => segment.id === id)!.sharedWith[id]!
    const same = await relearned(write({ model: 'components: 3, covariance: tied' }))
    expect([same.born, same.gone]).toEqual([[], []])
    for (const id of ids(before)) expect(shareOf(same, id)).toBeGreaterThan(0.25)
    const fewer = await relearned(write({ model: 'components: 2' }))
    expect(fewer.born).toEqual([])
    expect(fewer.gone).toHaveLength(1)
    const more = await relearned(write({ model: 'components: 4' }))
    expect([more.born, more.gone]).toEqual([['s4'], []])
    await relearned(write({ model: 'components: 4' }), '--promote')
    const after = await newest()
    expect(ids(after)).toEqual([...ids(before), 's4'])
    expect(after.segments.find(({ id }) => id === 's4')!.since).toBe(after.version)
    const lineage = await inLog(async log => (await log.offsets('eddy.lineage.v1'))[0]!.end)
    expect(lineage).toBe(3 + 1)
  })

  it('learns once, after it was promoted, what came while it waited', async () => {
    const [stored, wanted] = [write(), write(three)]
    await learned(stored, 500)
    await relearned(wanted)
    await learned(stored, 200, 2)
    await relearned(wanted, '--promote')
    expect(learnedEvents(await newest())).toBe(500)
    expect(await learned(wanted, 100, 3)).toMatchObject({ events: 800, labels: 800 })
    expect(learnedEvents(await newest())).toBe(800)
    await expectEqual(wanted)
  })

  it('labels the past once more where that is asked for', async () => {
    const [stored, wanted] = [write(), write(three)]
    await learned(stored, 500)
    const was = await labels()
    await relearned(wanted)
    const { snapshot: version } = await relearned(wanted, '--promote', '--relabel')
    expect(await learned(wanted, 100, 2)).toMatchObject({ events: 600, labels: 1100 })
    const now = await labels()
    expect(now.slice(0, 500)).toEqual(was)
    expect(now.slice(500).map(({ sourceOffset }) => sourceOffset)).toEqual(Array.from({ length: 600 }, (_, n) => n))
    expect(now.slice(500).every(({ snapshotVersion }) => snapshotVersion >= BigInt(version))).toBe(true)
    expect(new Set(now.slice(500).map(({ segment }) => segment)).size).toBe(3)
    expect(learnedEvents(await newest())).toBe(600)
    await expectEqual(wanted)
  })

  it.each([
    ['fewer features', '{ name: y }', ['y']],
    ['another order', '{ name: y }, { name: x }', ['y', 'x']],
    ['a new feature that the events carry', '{ name: x }, { name: y }, { name: z }', ['x', 'y', 'z']],
  ])('learns %s from the events', async (_, features, names) => {
    const [stored, wanted] = [write(three), write({ ...three, features })]
    await learned(stored, 600)
    const told = await relearned(wanted)
    expect(told.form.relearned.features).toBe(names.join(', '))
    expect(told.heldOut).toBeNull()
    await relearned(wanted, '--promote')
    await expectEqual(wanted)
    expect(await learned(wanted, 200, 2)).toMatchObject({ events: 800, labels: 800, deadLetters: 0 })
    await expectEqual(wanted)
    const { ledger, specification, weight } = await newest()
    expect(JSON.parse(specification).features.map(({ name }: { name: string }) => name)).toEqual(names)
    expect(ledger.map(({ next }) => next)).toEqual([800])
    expect(weight).toBeCloseTo(800, 6)
    expect((await up(stored, 1, 3)).stderr).toMatch(/features: expected .* got x, y;.*`eddy relearn`/)
  })

  it('does all of it for each partition', async () => {
    const partitions = 3
    const stored = write({ partitions })
    await learned(stored, 600)
    const more = write({ ...three, partitions })
    await relearned(more)
    await relearned(more, '--promote', '--relabel')
    expect(await learned(more, 100, 2)).toMatchObject({ events: 700, labels: 1300 })
    const places = (await labels()).map(({ sourcePartition, sourceOffset }) => `${sourcePartition}/${sourceOffset}`)
    expect(new Set(places).size).toBe(700)
    await expectEqual(more)
    const wider = write({ ...three, partitions, features: '{ name: z }, { name: y }, { name: x }' })
    await relearned(wider)
    await relearned(wider, '--promote')
    expect(await learned(wider, 100, 3)).toMatchObject({ events: 800, labels: 1400, deadLetters: 0 })
    expect((await newest()).weight).toBeCloseTo(800, 6)
    await expectEqual(wider)
  })

  it('says of features that cannot be learned from the events why', async () => {
    await learned(write(), 500)
    const { code, stderr } = await relearn(write({ features: '{ name: x }, { name: spend }' }))
    expect(code).toBe(1)
    expect(stderr).toContain(
      'features.spend: expected a value in at least one of the newest 16384 events that are stored as JSON, got none',
    )
  })

  it('changes features only when everything before has been through all stages', async () => {
    const [stored, wanted] = [write(three), write({ ...three, features: '{ name: y }' })]
    await learned(stored, 500)
    await relearned(wanted)
    await learned(stored, 100, 2)
    const { code, stderr } = await relearn(wanted, '--promote')
    expect(code).toBe(1)
    expect(stderr).toMatch(/expected all of 600 records to be learned anew before the features change, got 500/)
    await relearned(wanted)
    expect((await relearn(wanted, '--promote', '--relabel')).stderr).toMatch(/--relabel: expected the features of/)
    await relearned(wanted, '--promote')
    await expectEqual(wanted)
  })

  it('refuses other features where another model reads the same vectors', async () => {
    await learned(write(), 500)
    await learned(write({ name: 'trial' }), 500)
    expect((await relearn(write({ features: '{ name: y }' }))).stderr).toMatch(
      /features: expected x, y, which model trial in this log reads too, got y/,
    )
    await relearned(write(three))
  })

  it('learns and compares while another process writes, and says so when it cannot promote', async () => {
    const wanted = write(three)
    await learned(write(), 500)
    const log = openEmbeddedLog(data)
    try {
      await relearned(wanted)
      const { code, stderr } = await relearn(wanted, '--promote')
      expect(code).toBe(1)
      expect(stderr).toMatch(/expected to be the only writing process, .* Stop it/)
    } finally {
      await log.close()
    }
    await relearned(wanted, '--promote')
  })

  it('is promoted once, with its own configuration, and not after the segments have changed', async () => {
    const wanted = write(three)
    await learned(write(), 500)
    expect((await relearn(wanted, '--promote')).stderr).toMatch(/expected a model that was learned anew, got none/)
    await relearned(wanted)
    const kept = join(data, 'relearned.avro')
    copyFileSync(kept, join(folder, 'copy'))
    const other = await relearn(write({ model: 'components: 4' }), '--promote')
    expect(other).toMatchObject({ code: 78, stderr: expect.stringContaining('model.components: expected 3, as the') })
    await relearned(wanted, '--promote')
    expect(existsSync(kept)).toBe(false)
    writeFileSync(kept, 'torn')
    expect((await relearn(wanted, '--promote')).stderr).toMatch(/relearned\.avro: expected a model, got damaged bytes/)
    // As if the process had ended before the file was gone.
    copyFileSync(join(folder, 'copy'), kept)
    expect((await relearn(wanted, '--promote')).stderr).toMatch(/expected the segments beside which/)
    expect(learnedEvents(await newest())).toBe(500)
  })

  it('is dropped', async () => {
    const stored = write()
    await learned(stored, 500)
    await relearned(write(three))
    expect(await runCommand(relearnCommand, ['--data-dir', data, '--drop'])).toMatchObject({ code: 0 })
    expect((await runCommand(relearnCommand, ['--data-dir', data, '--drop'])).stderr).toMatch(/got none/)
    expect(await learned(stored, 100, 2)).toMatchObject({ events: 600, labels: 600 })
  })

  it('is gone on with where no configuration is given, too', async () => {
    const wanted = write({ ...three, features: '{ name: y }' })
    await learned(write(), 500)
    await relearned(wanted)
    await relearned(wanted, '--promote')
    const { code, stdout, stderr } = await runCommand(upCommand, [
      ...['--data-dir', data, '--replay', join(folder, 'events-1.ndjson')],
      ...['--exit-when-drained', '--json', '--port', '0'],
    ])
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ events: 500, labels: 500, segments: { length: 3 } })
  })

  it('leads back by eddy models rollback', async () => {
    const [stored, wanted] = [write(), write(three)]
    await learned(stored, 500)
    const { version } = await newest()
    await relearned(wanted)
    await relearned(wanted, '--promote')
    const back = await runCommand(modelsCommand, ['rollback', `customers@${version}`, '--config', stored])
    expect(back.code, back.stderr).toBe(0)
    expect(await learned(stored, 100, 2)).toMatchObject({ events: 600, labels: 600 })
    expect(learnedEvents(await newest())).toBe(600)
    await expectEqual(stored)
  })

  it('says what can be done where there is no model, on Kafka, and of flags that do not go together', async () => {
    const config = write()
    await learned(config, 500)
    expect((await relearn(write({ name: 'nobody' }))).stderr).toMatch(
      /model\.name: expected a stored model, got nobody/,
    )
    expect((await relearn(config, '--brokers', 'localhost:1')).stderr).toMatch(
      /embedded log, got Kafka\. .*models promote/,
    )
    expect((await relearn(config, '--relabel')).code).toBe(2)
    expect((await relearn(config, '--drop', '--promote')).code).toBe(2)
  })
})
