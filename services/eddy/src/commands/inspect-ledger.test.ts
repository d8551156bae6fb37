import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { featureVectorCodec, hashOffset, type Snapshot } from '@eddy/messages'
import { snapshotRecords } from '@eddy/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featureRecords, warmedUp } from '../../../stepwise-em/src/testing.ts'
import { runCommand } from '../testing/run-command.ts'
import { inspectCommand } from './inspect.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-ledger-'))
const data = join(folder, 'data')
const config = join(folder, 'eddy.yaml')
writeFileSync(
  config,
  `model: { name: test }\nlog: { directory: ${data}, partitions: 2 }\nfeatures: [{ name: x }, { name: y }]\n`,
)
afterAll(() => rmSync(folder, { recursive: true }))

const hashOf = (partition: number, to: number): bigint =>
  Array.from({ length: to }, (_, offset) => hashOffset(partition, offset)).reduce(
    (a, b) => BigInt.asUintN(64, a + b),
    0n,
  )
const entry = (partition: number, next: number) => ({
  partition,
  next,
  events: BigInt(next),
  offsetsHash: hashOf(partition, next),
})

let first: Snapshot

async function store(snapshot: Snapshot): Promise<void> {
  const log = openEmbeddedLog(data)
  await log.publish([{ topic: 'eddy.snapshots.v1', records: snapshotRecords(snapshot, 900_000) }])
  await log.close()
}

beforeAll(async () => {
  first = await warmedUp(featureRecords(300))
  const log = openEmbeddedLog(data)
  await log.ensureTopics({
    'eddy.features.v1': { partitions: 2, cleanup: 'delete' },
    'eddy.snapshots.v1': { partitions: 1, cleanup: 'compact' },
  })
  const value = featureVectorCodec
    .encode({ customer: 'c', time: 0, weight: 1, features: Float64Array.of(1, 2) })
    .slice()
  const records = (partition: number, count: number) =>
    Array.from({ length: count }, () => ({ key: Buffer.from('c'), value, partition }))
  await log.publish([{ topic: 'eddy.features.v1', records: [...records(0, 100), ...records(1, 50)] }])
  await log.close()
  await store({ ...first, version: 1n, ledger: [entry(0, 40)] })
  await store({ ...first, version: 2n, ledger: [entry(0, 90), entry(1, 50)] })
})

const ledger = async (...flags: string[]) => {
  const { stdout, stderr, code } = await runCommand(inspectCommand, ['--config', config, '--ledger', ...flags])
  return { stdout, stderr, code }
}

describe('eddy inspect --ledger', () => {
  it('prints next offset, count and hash of each partition', async () => {
    const { stdout, code } = await ledger()
    expect(code).toBe(0)
    expect(stdout.split('\n').map(line => line.split(/\s+/).filter(Boolean))).toEqual([
      ['test@2'],
      ['partition', 'next', 'events', 'hash'],
      ['0', '90', '90', hashOf(0, 90).toString(16).padStart(16, '0')],
      ['1', '50', '50', hashOf(1, 50).toString(16).padStart(16, '0')],
      [],
    ])
  })

  it('compares the newest snapshot, or one that is named, with what the log holds', async () => {
    const rows = (await ledger('--compare', '--json')).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(({ partition, inLog, verdict }) => [partition, inLog, verdict])).toEqual([
      [0, 90, 'equal'],
      [1, 50, 'equal'],
    ])
    expect((await ledger('--compare', '--snapshot', 'test@1')).stdout).toMatch(/^test@1\n.*\n +0 +40 +40 .* equal\n$/)
    expect(await ledger('--snapshot', 'test@7')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected one of test@1, test@2, got test@7'),
    })
  })

  it('says which partition differs, and fails', async () => {
    await store({ ...first, version: 3n, ledger: [{ ...entry(0, 90), events: 91n }, entry(1, 50)] })
    const { stdout, stderr, code } = await ledger('--compare')
    expect(code).toBe(1)
    expect(stdout).toContain('different')
    expect(stderr).toContain('other events for partitions 0')
    await store({ ...first, version: 4n, ledger: [entry(0, 90), { ...entry(1, 50), offsetsHash: 1n }] })
    expect((await ledger('--compare')).stderr).toContain('other events for partitions 1')
    // A ledger that is ahead of its log belongs to another one.
    await store({ ...first, version: 5n, ledger: [entry(0, 101)] })
    expect((await ledger('--compare')).code).toBe(1)
  })

  it('knows which records were erased, and tells a real difference from them', async () => {
    const log = openEmbeddedLog(data)
    let seen = 0
    // Every tenth of the first fifty.
    await log.capabilities.erasure?.erase('eddy.features.v1', () => seen++ < 50 && seen % 10 === 0)
    await log.close()
    await store({ ...first, version: 6n, ledger: [entry(0, 90), entry(1, 50)] })
    const rows = (await ledger('--compare', '--json')).stdout.trim().split('\n')
    expect(rows.map(line => JSON.parse(line).verdict)).toEqual(['equal, 5 erased', 'equal'])
    expect((await ledger('--compare')).code).toBe(0)
    await store({ ...first, version: 7n, ledger: [{ ...entry(0, 90), events: 89n }, entry(1, 50)] })
    expect(await ledger('--compare')).toMatchObject({ code: 1, stdout: expect.stringContaining('different') })
  })
})
