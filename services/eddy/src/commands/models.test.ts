import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import type { Snapshot } from '@eddy/messages'
import { newestSnapshot, snapshotRecords } from '@eddy/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featureRecords, warmedUp } from '../../../stepwise-em/src/testing.ts'
import { runCommand } from '../testing/run-command.ts'
import { modelsCommand } from './models.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-models-'))
const data = join(folder, 'data')
const config = join(folder, 'eddy.yaml')
const topic = 'eddy.snapshots.v1'
writeFileSync(config, `model: { name: test }\nlog: { directory: ${data} }\nfeatures: [{ name: x }, { name: y }]\n`)
afterAll(() => rmSync(folder, { recursive: true }))

const models = (...argv: string[]) => runCommand(modelsCommand, [...argv, '--config', config])
const json = async (...argv: string[]) => {
  const { stdout, stderr, code } = await models(...argv)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

async function newest(model: string): Promise<Snapshot> {
  const log = openEmbeddedLog(data, { readOnly: true })
  try {
    return (await newestSnapshot({ log, topic, model })) as Snapshot
  } finally {
    await log.close()
  }
}

let first: Snapshot
const shifted = (by: number) => first.parameters.means!.map(mean => mean + by)
const learned = (next: number) => [{ partition: 0, next, events: BigInt(next), offsetsHash: BigInt(next) * 7n }]

beforeAll(async () => {
  first = await warmedUp(featureRecords(300))
  const log = openEmbeddedLog(data)
  await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'compact' } })
  const store = (version: bigint, next: number, statisticsOffset: number, by: number, model = 'test') => {
    const parameters = { ...first.parameters, means: shifted(by) }
    const ledger = learned(next)
    const snapshot = { ...first, model, version, epoch: 1n, parameters, ledger, statisticsOffset }
    return log.publish([{ topic, records: snapshotRecords(snapshot, 900_000) }])
  }
  await store(17n, 400, 3, 0)
  await store(18n, 900, 8, 1)
  await store(5n, 70, 2, 10, 'trial')
  await log.close()
})

describe('eddy models', () => {
  it('lists, shows and compares what is stored', async () => {
    expect((await json('list', '--json')).map(({ model, version, events }) => [model, version, events])).toEqual([
      ['test', 17, 400],
      ['test', 18, 900],
      ['trial', 5, 70],
    ])
    expect((await json('show', 'test@17'))[0]).toMatchObject({ model: 'test', version: 17 })
    const { stdout } = await models('diff', 'test@17', 'test')
    const { from, to, segments } = JSON.parse(stdout)
    expect([from, to]).toEqual(['test@17', 'test@18'])
    for (const { before, after } of segments) expect(after.centre.x - before.centre.x).toBeGreaterThan(0.1)
  })

  it('rolls back to older parameters; what was learned since stays learned', async () => {
    const { code, stderr } = await models('rollback', 'test@17')
    expect(code).toBe(0)
    expect(stderr).toContain('test@19 is test@17')
    const now = await newest('test')
    expect([...now.parameters.means!]).toEqual([...shifted(0)])
    // The ledger and the place in the statistics topic are those of version 18: nothing is learned twice, nothing is passed over.
    expect(now).toMatchObject({ version: 19n, epoch: 19n, ledger: learned(900), statisticsOffset: 8 })
  })

  it('promotes what another model has learned, and keeps the ledger of the one that gets it', async () => {
    expect((await models('promote', 'trial', 'test')).code).toBe(0)
    const now = await newest('test')
    expect([...now.parameters.means!]).toEqual([...shifted(10)])
    expect(now).toMatchObject({ model: 'test', version: 20n, epoch: 20n, ledger: learned(900), statisticsOffset: 8 })
    expect(await newest('trial')).toMatchObject({ version: 5n, ledger: learned(70), statisticsOffset: 2 })
    // A model that has learned nothing goes on where the other one was.
    expect((await models('promote', 'trial', 'fresh')).code).toBe(0)
    expect(await newest('fresh')).toMatchObject({ version: 1n, ledger: learned(70), statisticsOffset: 2 })
  })

  it('does not promote a model of other features', async () => {
    const log = openEmbeddedLog(data)
    const specification = first.specification.replace('"name":"x"', '"name":"z"')
    const swapped = { ...first, specification, model: 'swapped', version: 3n, epoch: 3n }
    await log.publish([{ topic, records: snapshotRecords(swapped, 900_000) }])
    await log.close()
    const { code, stderr } = await models('promote', 'swapped', 'test')
    expect(code).toBe(1)
    expect(stderr).toContain('features: expected x, y, as in test@20, got z, y in swapped@3')
    expect(await newest('test')).toMatchObject({ version: 20n })
  })

  it('says what is stored where a snapshot is not', async () => {
    const { code, stderr } = await models('rollback', 'test@3')
    expect(code).toBe(1)
    expect(stderr).toContain('got test@3')
  })

  it('refuses a rollback that names no version: the newest is what there is', async () => {
    const { code, stderr } = await models('rollback', 'test')
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected model@version, got test')])
  })
})
