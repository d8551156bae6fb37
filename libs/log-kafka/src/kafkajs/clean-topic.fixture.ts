import type { EventLog } from '@eddy/log'
import { record } from '@eddy/log/testing'
import { ConfigResourceTypes, Kafka, logLevel } from './kafkajs.ts'
import { repairKafkajs } from './kafkajs-repairs.ts'

/**
 * Makes a broker compact or expire a topic now: rolls the active segment, and asks until the oldest records are gone
 * (retention) or no key is there twice (compaction).
 */
export async function cleanTopic(brokers: readonly string[], log: EventLog, topic: string): Promise<void> {
  repairKafkajs()
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  })
  const own = resources[0]!.configEntries
    .filter(({ configSource }) => Number(configSource) === 1)
    .map(({ configName: name, configValue: value }) => ({ name, value }))
  const quick = [
    { name: 'segment.ms', value: '100' },
    { name: 'min.cleanable.dirty.ratio', value: '0.0001' },
  ]
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [...own, ...quick] }],
  })
  const compacted = own.some(({ value }) => value === 'compact')
  for (let i = 0; ; i++) {
    await new Promise(resolve => setTimeout(resolve, 150))
    await log.publish([{ topic, records: [record('filler', `${i}`, 0)] }])
    if (compacted ? await isCompacted(log, topic) : (await log.offsets(topic))[0]!.start > 0) break
  }
  await admin.disconnect()
}

async function isCompacted(log: EventLog, topic: string): Promise<boolean> {
  const keys = new Set<string>()
  let twice = false
  await new Promise<void>((resolve, reject) => {
    log.consume(topic, { untilEnd: true }).subscribe({
      next: delivery => {
        for (const { key } of delivery.records) {
          const name = Buffer.from(key!).toString()
          if (keys.has(name) && name !== 'filler') twice = true
          keys.add(name)
        }
        delivery.ack()
      },
      complete: resolve,
      error: reject,
    })
  })
  return !twice
}
