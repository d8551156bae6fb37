import { LogError } from '@eddy/log'
import { freshName, freshTopic, Reader, readAll, record, records } from '@eddy/log/testing'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/eddy-process.ts'
import { createKeyPair } from '../../../test/fixtures/certificates.ts'
import { describeWithCluster } from '../../../test/fixtures/kafka.ts'
import { consoleConsume } from '../../../test/fixtures/kafka-tools.ts'
import { openKafkajsLog } from './kafkajs/index.ts'
import { Kafka, logLevel } from './kafkajs/kafkajs.ts'
import { KafkajsDriver } from './kafkajs/kafkajs-driver.ts'
import type { KafkaOptions } from './options.ts'
import { openPlatformaticLog } from './platformatic/index.ts'
import { PlatformaticDriver } from './platformatic/platformatic-driver.ts'

describeWithCluster('the kafka log on a broker of its own', { secure: true }, cluster => {
  const open = (options: Partial<KafkaOptions> = {}) => openKafkajsLog({ brokers: cluster().brokers, ...options })

  describe.each([
    ['kafkajs', openKafkajsLog],
    ['@platformatic/kafka', openPlatformaticLog],
  ] as const)('by way of %s', (_client, openWith) => {
    const openClient = (options: Partial<KafkaOptions> = {}) => openWith({ brokers: cluster().brokers, ...options })
    const enter = (sasl: KafkaOptions['sasl'], ca = cluster().certificate!) =>
      openClient({ brokers: cluster().secureBrokers, ssl: { ca }, ...(sasl && { sasl }) })

    test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('speaks TLS and %s', async mechanism => {
      const log = enter({ mechanism, username: 'eddy', password: 'secret' })
      const topic = await freshTopic(log)
      const group = freshName('g')
      await log.publish([{ topic, records: records(3, 0) }])
      // In transactions and as a member of a group, too: those speak to coordinators.
      const reader = new Reader(log.consume(topic, { group }), () => {})
      await reader.until(() => reader.read.length === 3)
      await log.publish([{ topic, records: records(2, 0) }], {
        settles: { group, deliveries: [reader.deliveries[0]!] },
      })
      expect(await readAll(log, topic)).toHaveLength(5)
      await log.close()
    })

    test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
      'says so when it may not enter: %s',
      async mechanism => {
        const log = enter({ mechanism, username: 'eddy', password: 'wrong' })
        await expect(log.offsets('t')).rejects.toThrow(/[Aa]uthenticat/)
        await log.close()
      },
    )

    test('does not trust a certificate of somebody else', async () => {
      const folder = temporaryFolder()
      const other = await createKeyPair(folder.path)
      folder.remove()
      const log = enter({ mechanism: 'plain', username: 'eddy', password: 'secret' }, other.certificate)
      await expect(log.offsets('t')).rejects.toThrow(/certificate/)
      await log.close()
    })

    test('what each codec wrote is read by us and by Java', async () => {
      const log = openClient()
      const topic = await freshTopic(log)
      await log.close()
      const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
      for (const compression of codecs) {
        const writer = openClient({ compression })
        await writer.publish([{ topic, records: records(50, 0, `${compression}-${'x'.repeat(200)}-`) }])
        await writer.close()
      }
      for (const openReader of [openKafkajsLog, openPlatformaticLog]) {
        const reader = openReader({ brokers: cluster().brokers })
        const read = await readAll(reader, topic)
        expect(read).toHaveLength(250)
        expect(await consoleConsume(cluster().brokers, topic)).toEqual(read)
        await reader.close()
      }
    })
  })

  test('overlapping aborted transactions: nothing of them is read, as by Java', async () => {
    const log = open()
    const topic = await freshTopic(log)
    const kafka = new Kafka({ brokers: [...cluster().brokers], logLevel: logLevel.NOTHING })
    const producers = Array.from({ length: 4 }, (_, i) =>
      kafka.producer({ transactionalId: freshName(`p${i}`), idempotent: true, maxInFlightRequests: 1 }),
    )
    await Promise.all(producers.map(producer => producer.connect()))
    const committed: string[] = []
    for (let round = 0; round < 6; round++) {
      const transactions = await Promise.all(producers.map(producer => producer.transaction()))
      const aborts = (i: number) => (i + round) % 4 !== 0
      for (let step = 0; step < 3; step++)
        for (const [i, transaction] of transactions.entries()) {
          const value = `${aborts(i) ? 'aborted' : 'committed'} ${round}.${i}.${step}`
          if (!aborts(i)) committed.push(value)
          // The key of an abort marker, as a trap.
          const key = Buffer.from([0, 0, 0, 0])
          await transaction.send({ topic, acks: -1, messages: [{ key, value, partition: 0 }] })
        }
      // They end in another order than they began.
      for (const i of [2, 0, 3, 1]) await (aborts(i) ? transactions[i]!.abort() : transactions[i]!.commit())
    }
    const read = await readAll(log, topic)
    expect(read.map(({ value }) => value)).toEqual(committed)
    expect((await consoleConsume(cluster().brokers, topic)).map(({ value }) => value)).toEqual(committed)
    // From any offset, too: the list of aborted transactions then begins before the fetch.
    const { end } = (await log.offsets(topic))[0]!
    for (let from = 1; from < end; from += 13) {
      const reader = await new Reader(log.consume(topic, { untilEnd: true, from: new Map([[0, from]]) })).complete()
      expect(reader.read).toEqual(read.filter(({ offset }) => offset >= from))
    }
    await Promise.all(producers.map(producer => producer.disconnect()))
    await log.close()
  })

  test('a consumer that retention overtakes stops, and its group’s position stays', async () => {
    const log = open()
    const [topic, group] = [await freshTopic(log), freshName('g')]
    for (let i = 0; i < 40; i++) await log.publish([{ topic, records: [record('k', 'x'.repeat(400_000), 0)] }])
    const reader = new Reader(log.consume(topic, { group, maxRecords: 1 }), () => {})
    await reader.until(() => reader.deliveries.length === 1)
    await log.publish([], { settles: { group, deliveries: [reader.deliveries[0]!] } })
    const admin = new Kafka({ brokers: [...cluster().brokers], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '30' }] })
    await admin.disconnect()
    // Only what was fetched before is still delivered; then it must say that there is a hole.
    let next = 0
    const failed = reader.failure()
    const drain = setInterval(() => reader.deliveries[next++]?.ack(), 5)
    expect(String(await failed)).toMatch(/retention/i)
    clearInterval(drain)
    const offsets = reader.read.map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.map((_, i) => i))
    expect((await log.positions(topic, group)).get(0)).toBe(1)
    await log.close()
  })

  test('positions and records of a transaction are what Java sees, and two processes share a group', async () => {
    const [one, two] = [open(), open()]
    const [input, output, group] = [await freshTopic(one, 4), await freshTopic(one, 4), freshName('g')]
    const leave = new AbortController()
    const relay = (log: typeof one, signal?: AbortSignal) =>
      log.consume(input, { group, maxRecords: 20, ...(signal && { signal }) }).subscribe(async delivery => {
        const copies = delivery.records.map(({ key, value }) => ({ key, value, partition: delivery.partition }))
        const settles = { group, deliveries: [delivery] }
        await log.publish([{ topic: output, records: copies }], { settles })
        delivery.ack()
      })
    relay(one, leave.signal)
    for (let round = 0; round < 6; round++) {
      if (round === 2) relay(two)
      if (round === 4) leave.abort()
      await one.publish([0, 1, 2, 3].map(p => ({ topic: input, records: records(50, p, `${round}.`) })))
    }
    const target = (await readAll(one, input)).map(({ partition, value }) => `${partition} ${value}`).toSorted()
    for (;;) if ((await readAll(one, output)).length >= target.length) break
    const ours = await readAll(one, output)
    expect(ours.map(({ partition, value }) => `${partition} ${value}`).toSorted()).toEqual(target)
    expect(await consoleConsume(cluster().brokers, output)).toEqual(ours)
    await Promise.all([one.close(), two.close()])
  })

  test.each([
    ['kafkajs', KafkajsDriver],
    ['@platformatic/kafka', PlatformaticDriver],
  ])('%s: a position is told once no transaction can move it any more', async (_, Driver) => {
    const log = open()
    const [topic, group] = [await freshTopic(log, 2), freshName('g')]
    const driver = new Driver({ brokers: cluster().brokers })
    const kafka = new Kafka({ brokers: [...cluster().brokers], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: freshName('p'), idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const commitLater = async (offset: string) => {
      const transaction = await producer.transaction()
      const topics = [{ topic, partitions: [{ partition: 0, offset }] }]
      await transaction.sendOffsets({ consumerGroupId: group, topics })
      return transaction
    }
    await (await commitLater('3')).commit()
    expect(await driver.admin.stablePosition(group, topic, 0)).toBe(3)
    const transaction = await commitLater('5')
    const position = driver.admin.stablePosition(group, topic, 0)
    expect(await driver.admin.committed(group, topic, [0, 1])).toEqual(new Map([[0, 3]]))
    expect(await driver.admin.stablePosition(group, topic, 1)).toBeUndefined()
    await transaction.commit()
    expect(await position).toBe(5)
    await Promise.all([producer.disconnect(), driver.close(), log.close()])
  })

  test('a record that is too large is refused, and the log goes on', async () => {
    const log = open({ maxRecordBytes: 10_000_000 })
    const topic = await freshTopic(log, 2)
    const big = record('k', 'x'.repeat(1_500_000), 0)
    await expect(log.publish([{ topic, records: [big] }])).rejects.toThrow(LogError)
    await expect(log.publish([{ topic, records: [big, record('k', 'v', 1)] }])).rejects.toThrow(LogError)
    await log.publish([{ topic, records: [record('k', 'after', 0), record('k', 'after', 1)] }])
    expect((await readAll(log, topic)).map(({ value }) => value)).toEqual(['after', 'after'])
    await log.close()
  })
})
