import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncValues } from '@eddy/log'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema, openLog } from '@eddy/settings'
import kafkajs from 'kafkajs'
import { afterAll, describe, expect, it } from 'vitest'
import { describeWithCluster } from '../../../../test/fixtures/kafka.ts'
import { runCommand } from '../testing/run-command.ts'
import { topicsCommand } from './topics.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-topics-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A configuration file with topics of its own. */
function configure(name: string, log: string): string {
  const roles = ['events', 'features', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters']
  const path = join(folder, `${name}.yaml`)
  writeFileSync(path, `log: ${log}\ntopics: { ${roles.map(role => `${role}: ${name}.${role}`).join(', ')} }\n`)
  return path
}

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

describe('eddy topics create', () => {
  it('leaves what exists as it is and says so, unless it is told to alter; a dry run does nothing', async () => {
    const directory = join(folder, 'data')
    const run = (log: string, ...flags: string[]) => {
      const config = configure('plain', `{ directory: '${directory}', ${log} }`)
      return runCommand(topicsCommand, ['create', '--config', config, ...flags])
    }
    const dry = await run('retentionHours: 2160', '--dry-run')
    expect(dry.stdout).toContain('plain.events: would create, 1 partition, delete\n')
    const made = await run('retentionHours: 2160', '--json')
    expect(linesOf(made.stdout).map(({ done }) => done)).toEqual(Array(7).fill('created'))
    const kept = await run('retentionHours: 168')
    expect(kept.stdout).toContain(
      'plain.events: kept, 1 partition, delete; its retention is 2,160 hours, configured is 168 hours\n',
    )
    expect(kept.stderr).toContain('--alter applies')
    expect((await run('retentionHours: 168', '--alter', '--dry-run')).stdout).toContain('plain.events: would alter')
    expect((await run('retentionHours: 168', '--alter')).stdout).toContain('plain.events: altered')
    expect((await run('retentionHours: 168')).stdout).toContain('plain.events: kept, 1 partition, delete\n')
    const copies = await run('retentionHours: 168', '--replication-factor', '3')
    expect([copies.code, copies.stderr]).toEqual([
      1,
      expect.stringContaining('replicas: expected 1 of the embedded log'),
    ])
  })
})

describeWithCluster('eddy topics create on three brokers', { brokers: 3 }, cluster => {
  const described = async (topic: string) => {
    const admin = new kafkajs.Kafka({ brokers: [...cluster().brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const { resources } = await admin.describeConfigs({
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
        includeSynonyms: false,
      })
      const setting = (name: string) => resources[0]!.configEntries.find(({ configName }) => configName === name)
      return {
        replicas: topics[0]!.partitions[0]!.replicas.length,
        // Of the topic itself, whatever the brokers' own is.
        insync:
          Number(setting('min.insync.replicas')!.configSource) === 1
            ? setting('min.insync.replicas')!.configValue
            : 'theirs',
        retention: setting('retention.ms')!.configValue,
      }
    } finally {
      await admin.disconnect()
    }
  }

  it.each(['kafkajs', 'platformatic'])('makes three copies of which two must be there, by %s', async client => {
    const run = (name: string, ...flags: string[]) => {
      const config = configure(name, '{ retentionHours: 2160 }')
      const brokers = cluster().brokers.join(',')
      return runCommand(topicsCommand, [
        'create',
        '--config',
        config,
        '--brokers',
        brokers,
        '--kafka-client',
        client,
        ...flags,
      ])
    }
    const three = await run(`three-${client}`)
    expect(three.stdout).toContain(`three-${client}.events: created, 1 partition, 3 replicas, delete\n`)
    expect(await described(`three-${client}.events`)).toEqual({ replicas: 3, insync: '2', retention: '7776000000' })
    const two = await run(`two-${client}`, '--replication-factor', '2', '--json')
    expect(linesOf(two.stdout)[0]).toEqual({ topic: `two-${client}.events`, done: 'created', replicas: 2 })
    expect(await described(`two-${client}.events`)).toMatchObject({ replicas: 2, insync: 'theirs' })
    // What we write is kept by when it was written, whatever the time of its event: a backfill outlives the next look of retention.
    const configuration = loadConfiguration(configurationSchema, {
      file: configure(`three-${client}`, '{ kind: kafka, retentionHours: 2160 }'),
      environment: { KAFKA_BROKERS: cluster().brokers.join(',') },
      flags: { 'kafka.client': client },
    })
    const log = await openLog(configuration)
    try {
      const began = Date.now()
      const old = { key: null, value: Buffer.from('old'), timestamp: began - 365 * 86_400_000, partition: 0 }
      const timesOf = async (topic: string): Promise<number[]> => {
        await log.publish([{ topic, records: [old, old] }])
        const times: number[] = []
        for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true }))) {
          times.push(...delivery.records.map(({ timestamp }) => timestamp))
          delivery.ack()
        }
        expect(times).toHaveLength(2)
        return times
      }
      const { features, labels } = configuration.topics
      for (const topic of [features, labels])
        for (const time of await timesOf(topic)) expect(time).toBeGreaterThanOrEqual(began - 1000)
    } finally {
      await log.close()
    }
  })
})
