import { readFileSync } from 'node:fs'
import type { EventLog } from '@eddy/log'
import type { KafkaOptions } from '@eddy/log-kafka'
import { ConfigurationError, type Logger } from '@eddy/runtime'
import type { Configuration } from './configuration.ts'
import { registryOf, useRegistryIds, withRegistry } from './registry.ts'

export interface OpenOptions {
  /** for commands that look on while another process writes */
  readonly readOnly?: boolean
  /** told what a broker's client has to say, and what retention does */
  readonly logger?: Logger
  /** offset of a partition of the embedded log from which on retention keeps everything; all of it, for who does not know */
  readonly needed?: (topic: string, partition: number) => number
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
async function openAdapter(configuration: Configuration, options: OpenOptions): Promise<EventLog> {
  const { readOnly = false, logger, needed = () => 0 } = options
  if (configuration.log.kind === 'embedded') {
    const { openEmbeddedLog } = await import('@eddy/log-embedded')
    const log = openEmbeddedLog(configuration.log.directory, {
      readOnly,
      needed,
      compress: configuration.log.compression === 'zstd',
      ...(configuration.log.maxBytes !== undefined && { maxBytes: configuration.log.maxBytes }),
      onClockAhead: behindMs =>
        logger?.error(
          { behindHours: Math.round(behindMs / 3_600_000) },
          'the clock went forward by more than a day: expected it to be right. Retention believes it little by little; set it, if it is wrong.',
        ),
    })
    log.capabilities.upkeep.subscribe(({ kind, ...retention }) => {
      if (kind === 'dropped') logger?.info({ retention }, 'retention dropped records')
    })
    return log
  }
  const kafka = kafkaOptions(configuration, logger)
  if (configuration.kafka.client === 'platformatic') {
    const { openPlatformaticLog } = await import('@eddy/log-kafka/platformatic')
    return openPlatformaticLog(kafka)
  }
  const { openKafkajsLog } = await import('@eddy/log-kafka/kafkajs')
  return openKafkajsLog(kafka)
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
