import { afterEach, beforeEach, expect, test } from 'vitest'
import { IncompleteAnswer } from '../complete-answer.ts'
import { AdminClient } from './admin-client.ts'
import { Kafka, logLevel } from './kafkajs.ts'
import { KafkajsAdmin } from './kafkajs-admin.ts'
import { KafkajsDriver } from './kafkajs-driver.ts'
import { ScriptedBroker } from './scripted-broker.fixture.ts'

const all = [0, 1, 2, 3]
let broker: ScriptedBroker
let address: string
let driver: KafkajsDriver
beforeEach(async () => {
  broker = new ScriptedBroker()
  for (const topic of ['ours', 'other', 'third']) broker.topics.set(topic, { partitions: all.length, end: 300 })
  for (const partition of all) broker.committed.set(`ours/${partition}`, 81)
  address = await broker.listen()
  driver = new KafkajsDriver({ brokers: [address] })
})
afterEach(async () => {
  await driver.close()
  broker.close()
})

/** Forgets a topic of its metadata once, as the library does: an answer for another topic alone comes last. */
async function metadataWithoutOurs<T>(question: () => Promise<T>): Promise<T> {
  const { admin } = driver
  await admin.offsets('other', all)
  await admin.describe('third')
  const [held, known, release] = [0, 1, 2].map(() => Promise.withResolvers<void>())
  broker.delay = topics => {
    if (topics.includes('ours')) return void known!.resolve()
    held!.resolve()
    return release!.promise
  }
  const older = admin.offsets('other', all)
  await Promise.race([held!.promise, older])
  const asked = question()
  await Promise.race([known!.promise, asked])
  release!.resolve()
  await older
  return asked
}

test('a position is told though metadata without its topic, asked for before, come after', async () => {
  expect(await metadataWithoutOurs(() => driver.admin.stablePosition('g', 'ours', 3))).toBe(81)
  // Asked for by its name, and not until metadata happened to name it.
  expect(broker.positionsAsked).toEqual([['ours/3']])
})

test('so are the committed offsets, and the ends of the partitions', async () => {
  const { admin } = driver
  const committed = await metadataWithoutOurs(() => admin.committed('g', 'ours', all))
  expect(committed).toEqual(new Map(all.map(partition => [partition, 81])))
  const offsets = await metadataWithoutOurs(() => admin.offsets('ours', [3, 1]))
  expect(offsets).toEqual([3, 1].map(partition => ({ partition, start: 0, end: 300 })))
  expect(await metadataWithoutOurs(() => admin.partitions('ours'))).toBe(4)
})

test('a group has no position where the broker says so', async () => {
  broker.committed.delete('ours/2')
  expect(await driver.admin.stablePosition('g', 'ours', 2)).toBeUndefined()
  expect(await driver.admin.committed('g', 'ours', [1, 2])).toEqual(new Map([[1, 81]]))
})

test('an answer that lacks what was asked for is asked again', async () => {
  broker.omitOnce('ours/3')
  expect(await driver.admin.stablePosition('g', 'ours', 3)).toBe(81)
  broker.omitOnce('ours/3')
  expect((await driver.admin.committed('g', 'ours', all)).get(3)).toBe(81)
  broker.omitOnce('ours/0')
  expect((await driver.admin.offsets('ours', all)).map(({ partition }) => partition)).toEqual(all)
})

test('and is an error in the end, never "no position"', async () => {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING })
  const admin = new KafkajsAdmin(() => new AdminClient(kafka, {}), 200)
  broker.omitted.add('ours/3')
  const says = /^(position of g in|start of|end of) ours: expected an answer for partition 3, got/
  for (const question of [
    () => admin.stablePosition('g', 'ours', 3),
    () => admin.committed('g', 'ours', all),
    () => admin.offsets('ours', all),
  ]) {
    const error = await question().catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(IncompleteAnswer)
    expect((error as Error).message).toMatch(says)
  }
  await admin.close()
})
