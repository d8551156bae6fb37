import { LogError } from '@eddy/log'
import { type Configuration, openLog, type Role, rightsOf, topicOptions } from '@eddy/settings'
import { reachBrokers, SHORT_PATIENCE } from '../command-line/reach-brokers.ts'
import { failure, ok, type Verdict, warning } from './verdict.ts'

const patienceMs = 10_000

/** Whether the cluster answers, and which of the topics (those of the role, if one is given) this principal can see there. */
export async function brokerVerdict(configuration: Configuration, role?: Role): Promise<Verdict> {
  if (configuration.log.kind !== 'kafka') return ok('not used (log.kind: embedded)')
  const brokers = (configuration.kafka.brokers ?? []).join(', ')
  const rights = role === undefined ? [] : rightsOf(configuration)[role]
  const ofRole = rights.filter(({ resource }) => resource === 'topic').map(({ name }) => name)
  const topics = role === undefined ? Object.keys(topicOptions(configuration)) : [...new Set(ofRole)]
  const invisible: string[] = []
  await reachBrokers(configuration.kafka.brokers ?? [], () => {}, SHORT_PATIENCE)
  const log = await openLog({ ...configuration, registry: { ...configuration.registry, url: undefined } })
  try {
    for (const topic of topics)
      await within(log.offsets(topic), brokers).catch((error: Error) => {
        if (!(error instanceof LogError) || error.code === undefined) throw error
        invisible.push(topic)
      })
  } finally {
    await log.close()
  }
  if (invisible.length === 0) return ok(`${brokers}: all ${topics.length} topics are there`)
  const verdict = role === undefined && invisible.length < topics.length ? warning : failure
  return verdict(
    `${brokers}: missing, or not for this principal: ${invisible.join(', ')}`,
    'Create missing ones with `eddy topics create`; --for SERVICE tells what a principal lacks for its own.',
  )
}

async function within<T>(work: Promise<T>, brokers: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within 10 s from ${brokers}`)), patienceMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
