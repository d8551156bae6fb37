import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { processTerminal } from '../command-line/terminal.ts'
import { configurationOf, type LogFlags } from './log-options.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-log-options-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

it.each<[string, string, LogFlags, Record<string, string>]>([
  ['embedded', 'nothing', {}, {}],
  ['kafka', 'KAFKA_BROKERS', {}, { KAFKA_BROKERS: 'b:9092' }],
  ['kafka', '--brokers', { brokers: 'b:9092' }, {}],
  ['kafka', 'kafka.brokers', { config: file('kafka.yaml', 'kafka: { brokers: [b:9092] }') }, {}],
  [
    'embedded',
    'a kind beside brokers',
    { config: file('both.yaml', 'log: { kind: embedded }') },
    { KAFKA_BROKERS: 'b:9092' },
  ],
  ['embedded', '--data-dir beside KAFKA_BROKERS', { dataDir: folder }, { KAFKA_BROKERS: 'b:9092' }],
  [
    'embedded',
    '--data-dir beside log.kind',
    { dataDir: folder, config: file('kind.yaml', 'log: { kind: kafka }') },
    {},
  ],
])('is %s by %s', (kind, _, flags, environment) => {
  expect(configurationOf(flags, { ...processTerminal, environment }).log.kind).toBe(kind)
})

it('refuses a data directory where Kafka is meant', () => {
  const refused = /--data-dir: expected it for the embedded log only/
  const terminal = { ...processTerminal, environment: {} }
  expect(() => configurationOf({ dataDir: folder, brokers: 'b:9092' }, terminal)).toThrow(refused)
  expect(() => configurationOf({ dataDir: folder }, terminal, { 'log.kind': 'kafka' })).toThrow(refused)
})
