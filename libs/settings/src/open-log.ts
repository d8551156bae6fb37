import { readFileSync } from 'node:fs'
import type { EventLog } from '@eddy/log'
import type { KafkaOptions } from '@eddy/log-kafka'
import { ConfigurationError, type Logger } from '@eddy/runtime'
import type { Configuration } from './configuration.ts'
import { registryOf, useRegistryIds, withRegistry } from './registry.ts'

export interface OpenOptions {
  /** for commands that look on while another process writes */
  readonly readOnly?: boolean
  /** told what a broker's client has to say */
  readonly logger?: Logger
}

/** The log a configuration names, behind its schema registry if it names one: see `withRegistry`. */
export async function openLog(configuration: Configuration, options: OpenOptions = {}): Promise<EventLog> {
  const { topics } = configuration
  const registry = registryOf(configuration)
  if (registry === undefined) return openAdapter(configuration, options)
  const mode = options.readOnly === true ? 'read' : configuration.registry.register ? 'register' : 'check'
  await useRegistryIds(registry, topics, mode)
  return withRegistry(await openAdapter(configuration, options), registry, topics)
}

/** Only the adapter that is asked for is loaded. */
async function openAdapter(configuration: Configuration, { readOnly = false, logger }: OpenOptions): Promise<EventLog> {
  if (configuration.log.kind === 'embedded') {
    const { openEmbeddedLog } = await import('@eddy/log-embedded')
    return openEmbeddedLog(configuration.log.directory, { readOnly })
  }
  const options = kafkaOptions(configuration, logger)
  if (configuration.kafka.client === 'platformatic') {
    const { openPlatformaticLog } = await import('@eddy/log-kafka/platformatic')
    return openPlatformaticLog(options)
  }
  const { openKafkajsLog } = await import('@eddy/log-kafka/kafkajs')
  return openKafkajsLog(options)
}

/** The client calls every rebalance an error; what really fails reaches us as one. */
const quieter = { error: 'warn', warn: 'warn', info: 'debug', debug: 'trace' } as const

/** How to reach the configured cluster. */
export function kafkaOptions({ kafka, log }: Configuration, logger?: Logger): KafkaOptions {
  const { brokers = [], clientId, ssl, sasl, compression, sessionTimeoutMs } = kafka
  return {
    brokers,
    clientId,
    compression,
    sessionTimeoutMs,
    maxRecordBytes: log.maxRecordBytes + 100_000,
    ...(ssl.enabled ? { ssl: { ...pem('ca', ssl.ca), ...pem('cert', ssl.cert), ...pem('key', ssl.key) } } : {}),
    ...(sasl.mechanism === undefined
      ? {}
      : { sasl: { mechanism: sasl.mechanism, username: sasl.username ?? '', password: sasl.password ?? '' } }),
    ...(logger === undefined
      ? {}
      : { onLog: (level, message, details) => logger[quieter[level]]({ kafka: details }, message) }),
  }
}

function pem<N extends string>(name: N, path: string | undefined): { readonly [K in N]?: string } {
  if (path === undefined) return {}
  try {
    return { [name]: readFileSync(path, 'utf8') } as { readonly [K in N]: string }
  } catch (error) {
    throw new ConfigurationError([
      `kafka.ssl.${name}: expected a readable PEM file, got ${(error as NodeJS.ErrnoException).code} for ${path}`,
    ])
  }
}
